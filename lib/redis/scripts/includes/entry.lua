-- A cache entry's head: its first line, all a script needs to know. Format: lib/cache/entry-format.ts.
--   c1,<check>,<meta bytes>,<expires ms, 0 never>,<updated ms>,<seq>,<charged bytes>,<raw bytes>,<digest>,<op>,<codec>\n
-- Charged for an entry beyond its key and stored bytes: index members, allocation, the key's own overhead.
local ENTRY_OVERHEAD_BYTES = 200

-- The head of the entry at `key`, or nil. `gone` when it has expired but is still there.
local function read_head(text, nowMs)
  local check, metaBytes, expires, updated, seq, charged, rawBytes, digest, op = string.match(
    text,
    '^c1,(%x+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),([%w_-]+),([%w_-]+),%a[%w]*\n'
  )
  if not check then return nil end
  expires = tonumber(expires)
  return {
    metaBytes = tonumber(metaBytes), expires = expires, updated = updated, seq = seq, charged = tonumber(charged),
    rawBytes = tonumber(rawBytes), digest = digest, op = op, gone = expires > 0 and expires <= nowMs,
  }
end

-- All a plain read needs of a head, without the cost of the whole: expiry and raw bytes as text; nil when there is none.
local function glance_head(text) return string.match(text, '^c1,%x+,%d+,(%d+),%d+,%d+,%d+,(%d+),') end

-- The member that orders the entry by expiry: its key member with `e`, expiry in the place of `k`.
local function expiry_member(expires, keyMember)
  return string.format('e\0%014.0f', expires) .. string.sub(keyMember, 2)
end

-- Removes the entry, its index members and its bytes, in what the gate will count too. `head` is nil when it has none.
local function remove_entry(a, entry, index, head, keyMember)
  local charged = head and head.charged or (#entry + redis.call('STRLEN', entry) + ENTRY_OVERHEAD_BYTES)
  redis.call('UNLINK', entry)
  if head and head.expires > 0 then
    redis.call('ZREM', index, keyMember, expiry_member(head.expires, keyMember))
  else
    redis.call('ZREM', index, keyMember)
  end
  a.memory = math.max(0, a.memory - charged)
  a.entries = math.max(0, a.entries - 1)
end
