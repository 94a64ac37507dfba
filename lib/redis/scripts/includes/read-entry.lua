-- Reads a cache entry, and removes it when it has expired. Runs where it stands, after open-gate.lua, with `entry`, `index`,
-- `leaseKey`, `want` (as get-cache-entry.lua) and `stale` (whether one in its grace will do) set. Leaves `found` 0 none, 1 here, 2
-- unchanged, 3 as the instance has it, and `text`. Meters what it found.
local text
if want == '' then
  text = redis.call('GET', entry)
else
  text = redis.call('GETRANGE', entry, 0, 1023)
end

-- All that a plain read needs of the head, without the cost of the whole.
local access, expires, fresh, rawBytes, head
if text and text ~= '' then
  access, expires, fresh, rawBytes = string.match(text, '^c2,%x+,(%d+),(%d+),(%d+),(%d+),')
else
  text = false
end
-- Recency is kept once half of the memory is used, to the minute.
local moves = false
if access and access ~= minute then
  local memory = string.match(stock, '^%d+,(%d+),')
  moves = memory * 2 >= memoryLimit + 0
end
-- Functions are made where they are needed: a plain read needs none of them.
if text and (not access or want ~= '' or gate[7] or moves or (expires ~= '00000000000000' and tonumber(expires) <= nowMs)) then
--- @include "entry-head.lua"
  head = read_head(entry, text, nowMs)
  if head then
--- @include "entry-removal.lua"
    rawBytes, fresh = head.rawBytes, head.fresh
    if head.gone then
--- @include "stock.lua"
      local left = read_stock(stock, nowMs)
      forget_entry(left, entry, index, head, nowMs)
      end_older_load(leaseKey, head, nowMs)
      stock = write_stock(left)
      text, head = false, nil
    else
      if gate[7] then
--- @include "epochs.lua"
        if head.seq <= newest_epoch(KEYS[1], gate[7], namespace_of(entry), head.tags) then text, head = false, nil end
      end
      if head and moves and head.access ~= '' then
        local keyMember, length = key_member(entry), head.length + head.metaBytes
        local checked = #text < length and redis.call('GETRANGE', entry, 20, length - 1) or string.sub(text, 21, length)
        checked = ',' .. minute .. checked
        redis.call('SETRANGE', entry, 3, string.sub(redis.sha1hex(checked), 1, 8) .. ',' .. minute)
        redis.call('ZREM', index, access_member(head, head.access, keyMember))
        redis.call('ZADD', index, 0, access_member(head, minute, keyMember))
      end
    end
  end
end
if text and fresh and not stale and fresh ~= '00000000000000' and tonumber(fresh) > 0 and tonumber(fresh) <= nowMs then
  text, head = false, nil
end

local found = 1
if not text then
  found = 0
elseif head and want ~= 'meta' and want ~= '' then
  if want == '*' or string.find(',' .. want .. ',', ',' .. head.digest .. ',', 1, true) then
    found = 2
  elseif string.find(',' .. want .. ',', ',=' .. head.digest .. ',', 1, true) then
    found = 3
  else
    text = redis.call('GET', entry)
  end
elseif not head and want ~= '' and want ~= 'meta' then
  -- It has no head: the caller is to find that out.
  text = redis.call('GET', entry)
end
if head and (found > 1 or want == 'meta') then
  local length = head.length + head.metaBytes
  if length > #text then text = redis.call('GETRANGE', entry, 0, length - 1) end
  text = string.sub(text, 1, length)
end

if found == 0 then
  misses = misses + 1
else
  hits = hits + 1
  if rawBytes and found ~= 2 and want ~= 'meta' then
    local transferBytes = tonumber(rawBytes)
    bytesOut = bytesOut + transferBytes
    if gate[4] or transfer + transferBytes > transferLimit + 0 then
--- @include "holds.lua"
--- @include "check-transfer.lua"
    else
      transfer = transfer + transferBytes
    end
  end
end
