--[[
  Store one cache entry through the tenant's gate, or refuse and change nothing.

  Why a script: limits, memory budget, condition, value, index and counters change together or not at all.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] entry         string   the entry: head line, metadata, payload
  KEYS[4] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] condition              empty = none; absent; exists; or digests one of which must be stored, comma separated
  ARGV[7] ttlMs                  lifetime in ms; 0 = never expires
  ARGV[8] metaBytes              length of the metadata at the start of `body`
  ARGV[9] rawBytes               length of the value before packing
  ARGV[10] digest                 of codec, raw length and `body`: also the ETag
  ARGV[11] op                    id of this operation: the same again is a replay, answered and not metered
  ARGV[12] codec                 how the payload is packed
  ARGV[13] body                  metadata and payload

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, expires ms,
  updated ms }; outcome 1 created, 2 replaced, 3 condition failed,
  4 replay of a replacement, 6 of a creation, with the stored digest; 5 memory is full, nothing changed and nothing metered: then used,
  held, what is needed and the limit follow, in bytes; or a refusal of the gate.

  Cost: O(log n) of the index. 6 inner calls for a new entry, 7 for one that replaces another.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/entry.lua"
local entry, index = KEYS[3], KEYS[4]
local condition, ttl, op = ARGV[6], tonumber(ARGV[7]), ARGV[11]
local old = redis.call('GETRANGE', entry, 0, 255)
local exists = old ~= ''
local head = exists and read_head(old, nowMs)

-- The operation id stands in the head with what it did: c created, r replaced.
local replayed = head and string.match(head.op, '^' .. op .. '(%a)$')
if replayed then
  return { OK, level, minuteOps, nowMs, opm, burst, own, replayed == 'c' and 6 or 4, head.expires, head.updated, head.digest }
end

local visible = exists and not (head and head.gone)
local holds = condition == '' or (condition == 'absent' and not visible) or (condition == 'exists' and visible)
if not holds and visible and head and condition ~= 'absent' then
  holds = string.find(',' .. condition .. ',', ',' .. head.digest .. ',', 1, true) ~= nil
end

local outcome, expires = 3, 0
if holds then
  local left = read_stock(stock, nowMs)
  outcome = visible and 2 or 1
  expires = ttl > 0 and nowMs + ttl or 0
  local line = string.format(
    ',%s,%d,%d,%d,%%d,%s,%s,%s,%s\n',
    ARGV[8], expires, nowMs, left.seq + 1, ARGV[9], ARGV[10], op .. (visible and 'r' or 'c'), ARGV[12]
  )
  -- The charge counts its own digits: its width is set first, so that it stands in the line it describes.
  local charged = #entry + 11 + #line - 2 + 10 + #ARGV[13] + ENTRY_OVERHEAD_BYTES
  line = string.gsub(line, '%%d', string.format('%010d', charged), 1)
  local grown = left.memory + charged - (exists and charge_of(entry, head) or 0)
  local transferBytes = tonumber(ARGV[9])
  -- What is reserved is looked at where there is something, or no room.
  if gate[4] or grown > memoryLimit + 0 or transfer + transferBytes > transferLimit + 0 then
--- @include "includes/holds.lua"
--- @include "includes/check-memory.lua"
--- @include "includes/check-transfer.lua"
  else
    transfer = transfer + transferBytes
  end

  local check = string.sub(redis.sha1hex(line .. string.sub(ARGV[13], 1, tonumber(ARGV[8]))), 1, 8)
  redis.call('SET', entry, 'c1,' .. check .. line .. ARGV[13])
  local member = key_member(entry)
  if head and head.expires > 0 then redis.call('ZREM', index, expiry_member(head.expires, member)) end
  if expires > 0 then
    redis.call('ZADD', index, 0, member, 0, expiry_member(expires, member))
  else
    redis.call('ZADD', index, 0, member)
  end
  left.bytesIn, left.memory, left.seq = left.bytesIn + transferBytes, grown, left.seq + 1
  if not exists then left.entries = left.entries + 1 end
  stock = write_stock(left)
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, expires, nowMs }
