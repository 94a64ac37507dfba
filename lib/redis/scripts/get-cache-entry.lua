--[[
  Read one cache entry through the tenant's gate.

  Why a script: the key, the limits, the read and its metering are one step, so what is enforced is what is billed.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] entry         string   the entry: head line, metadata, payload
  KEYS[4] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] want                   empty = the value; meta = all but the value; digests the caller has, comma separated, or *
                                 for any = the value, unless it is one of these

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, found 1|0|2 unchanged, entry text or
  head }, or a refusal of the gate.

  Cost: O(bytes returned). 4 inner calls; 6 when the entry is found expired.
]]
--- @include "includes/open-gate.lua"
local entry = KEYS[3]
local want = ARGV[6]
local text
if want == '' then
  text = redis.call('GET', entry)
else
  text = redis.call('GETRANGE', entry, 0, 1023)
end

-- All that a plain read needs of the head, without the cost of the whole.
local expires, rawBytes, head
if text and text ~= '' then
  expires, rawBytes = string.match(text, '^c1,%x+,%d+,(%d+),%d+,%d+,%d+,(%d+),')
else
  text = false
end
-- Functions are made where they are needed: a plain read needs none of them.
if expires and (want ~= '' or (expires ~= '0' and tonumber(expires) <= nowMs)) then
--- @include "includes/entry-head.lua"
  head = read_head(text, nowMs)
end
if head and head.gone then
--- @include "includes/stock.lua"
--- @include "includes/entry-removal.lua"
  local left = read_stock(stock, nowMs)
  forget_entry(left, entry, KEYS[4], head)
  stock = write_stock(left)
  text, head = false, nil
end

local found = 1
if not text then
  found = 0
elseif head and want ~= 'meta' then
  if want == '*' or string.find(',' .. want .. ',', ',' .. head.digest .. ',', 1, true) then
    found = 2
  else
    text = redis.call('GET', entry)
  end
end
if head and (found == 2 or want == 'meta') then
  local length = string.find(text, '\n', 1, true) + head.metaBytes
  if length > #text then text = redis.call('GETRANGE', entry, 0, length - 1) end
  text = string.sub(text, 1, length)
end

if found == 0 then
  misses = misses + 1
else
  hits = hits + 1
  if rawBytes and found == 1 and want ~= 'meta' then
    local transferBytes = tonumber(rawBytes)
    bytesOut = bytesOut + transferBytes
    if gate[4] or transfer + transferBytes > transferLimit + 0 then
--- @include "includes/holds.lua"
--- @include "includes/check-transfer.lua"
    else
      transfer = transfer + transferBytes
    end
  end
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, found, text }
