-- Storing cache entries: what is there, whether it may be written over, and what is written.
--- @include "entry.lua"
--- @include "epochs.lua"

-- Read of an entry that is to be written over: nearly always with its tags.
local KNOWN_BYTES = 512

-- Whether the entry is a known absence: no value, and metadata that says so. Within its texts JSON has no bare quote.
local function is_absence(entry, head, text)
  if head.rawBytes > 0 then return false end
  local length = head.length + head.metaBytes
  if #text < length then text = redis.call('GETRANGE', entry, 0, length - 1) end
  return string.find(text, '"negative":true', head.length + head.tagBytes + 1, true) ~= nil
end

-- What stands at `entry`: whether anything does; its head, nil when it cannot be read; whether a read would see it, as it sees no
-- known absence; its beginning.
-- 1 inner call, 2 while something is invalidated and not reclaimed.
local function known_entry(entry, gateKey, pending, nowMs)
  local text = redis.call('GETRANGE', entry, 0, KNOWN_BYTES - 1)
  if text == '' then return false, nil, false, text end
  local head = read_head(entry, text, nowMs)
  if not head then return true, nil, true, text end
  local visible = not head.gone and not (head.fresh > 0 and head.fresh <= nowMs) and not is_absence(entry, head, text)
  if visible and pending and head.seq <= newest_epoch(gateKey, pending, namespace_of(entry), head.tags) then
    visible = false
  end
  return true, head, visible, text
end

-- Whether what is there is what the writer's condition names: empty = none; absent; exists; or digests, comma separated.
local function condition_holds(condition, head, visible)
  if condition == '' then return true end
  if condition == 'absent' then return not visible end
  if condition == 'exists' then return visible end
  return visible and head ~= nil and string.find(',' .. condition .. ',', ',' .. head.digest .. ',', 1, true) ~= nil
end

-- Whether a load that began with this lease may still be stored: it is held, and nothing was written or invalidated since. The
-- second: it was overtaken so while it was held; then the lease is taken away, for nobody uses it any more.
local function lease_holds(leaseKey, token, head, item, gateKey, pending, namespace)
  if redis.call('GET', leaseKey) ~= token then return false, false end
  local granted = tonumber(string.match(token, '^(%d+)-'))
  local newest = head and head.seq or 0
  if pending then
    local tags = tag_list(string.sub(item.body, 1, tonumber(item.tagBytes)))
    local epochs = read_epochs(gateKey, pending, namespace, tags)
    newest = math.max(newest, newest_of(epochs, tags), epochs.fence)
  end
  if newest <= granted then return true, false end
  redis.call('DEL', leaseKey)
  return false, true
end

-- When an entry written now is gone, and until when it is fresh: ms, 0 never. A lifetime of `@<gone>,<fresh until>` says both.
local function lifetime_of(item, nowMs)
  local gone, freshUntil = string.match(item.ttl, '^@(%d+),(%d+)$')
  if gone then return tonumber(gone), tonumber(freshUntil) end
  local ttl, grace = tonumber(item.ttl), tonumber(item.grace)
  if ttl == 0 then return 0, 0 end
  return nowMs + ttl + grace, grace > 0 and nowMs + ttl or 0
end

-- The head of an entry to be written, from its expiry on, and what it is charged. `mark`: c created, r replaced.
local function entry_line(entry, item, expires, fresh, seq, nowMs, mark)
  local line = string.format(
    ',%014d,%014d,%s,%d,%%d,%d,%s,%s,%s,%s,%s,%s\n',
    expires, fresh, item.rawBytes, seq, nowMs, item.metaBytes, item.tagBytes, item.blob, item.digest, item.op .. mark, item.codec
  )
  -- The charge counts its own digits: its width is set first, so that it stands in the line it describes.
  local charged = #entry + 20 + #line - 2 + 10 + #item.body + ENTRY_OVERHEAD_BYTES
  line = string.gsub(line, '%%d', string.format('%010d', charged), 1)
  return line, charged
end

-- The whole text of an entry.
local function entry_text(line, item, access)
  line = ',' .. access .. line
  local check = string.sub(redis.sha1hex(line .. string.sub(item.body, 1, tonumber(item.metaBytes))), 1, 8)
  return 'c2,' .. check .. line .. item.body
end

-- Adds to `added` and `removed` the members of the index that change when the entry is written, and counts it in the
-- stock. `old`: the head of what was there, nil none or not to be read; `oldCharge` nil: there was nothing.
local function count_entry(left, entry, item, expires, charged, access, old, oldCharge, nowMs, added, removed)
  local keyMember = key_member(entry)
  if oldCharge then uncount_entry(left, entry, old, oldCharge) end
  local blobBytes = blob_bytes(item)
  left.memory, left.entries, left.seq = left.memory + charged, left.entries + 1, left.seq + 1
  left.storage = left.storage + blobBytes
  left.raw = left.raw + item.rawBytes
  left.packed = left.packed + (blobBytes > 0 and blobBytes or #item.body - item.metaBytes)
  local new = {
    expires = expires, access = access, blob = item.blob, tags = string.sub(item.body, 1, tonumber(item.tagBytes)),
  }
  local keeps = {}
  for _, member in ipairs(further_members(new, keyMember)) do
    keeps[member] = true
    added[#added + 1] = 0
    added[#added + 1] = member
  end
  added[#added + 1] = 0
  added[#added + 1] = keyMember
  local told = change_member(left, old and old.seq or 0, keyMember)
  if told then
    added[#added + 1] = 0
    added[#added + 1] = told
  end
  for _, member in ipairs(old and further_members(old, keyMember) or {}) do
    if not keeps[member] then removed[#removed + 1] = member end
  end
  if old and old.blob ~= '-' and old.blob ~= item.blob then
    added[#added + 1] = 0
    added[#added + 1] = doomed_member(old.blob, nowMs)
  end
end
