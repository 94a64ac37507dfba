--[[
  Add to a number that is a cache entry, through the tenant's gate; one that is not there begins at 0.

  Why a script: of callers who add at once, each adds to what the other left.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] entry         string   the entry: head line, metadata, payload
  KEYS[4] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] by                     whole number, its magnitude below 2^53
  ARGV[7] ttlMs                  of a new entry: how long it is fresh, ms; 0 = never expires
  ARGV[8] graceMs                of a new entry: how long it may be served stale after that, ms
  ARGV[9] meta                   of a new entry: its metadata, without tags
  ARGV[10] op                    id of this operation: the same again is a replay, answered and not metered

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, the number, expires ms, fresh
  until ms, digest }; outcome 1 created, 2 replaced, 4 and 6 their replays; 3 the entry is no whole number; 7 the sum would have
  a magnitude of 2^53 or more; 5 memory is full: then used, held, what is needed and the limit follow, in bytes. 3, 5 and 7
  change nothing. Or a refusal of the gate. The lifetime and the metadata of an entry that is there stay.

  Cost: O(log n) of the index. 7 inner calls, 8 when the number was last changed in another minute; one more while something is
  invalidated and not reclaimed.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/store-entry.lua"
-- 2^53, from which on a double no longer holds every whole number.
local TOO_LARGE = 9007199254740992
local entry, index, op = KEYS[3], KEYS[4], ARGV[10]
--- @include "includes/recent-operation.lua"
local exists, head, visible, known = known_entry(entry, KEYS[1], gate[7], nowMs)
local meta, tagBytes, number = ARGV[9], 0, '0'
if visible then
  number = nil
  if head and head.rawBytes <= 17 and head.blob == '-' and (head.codec == 'num' or head.codec == 'text') then
    local text = #known < KNOWN_BYTES and known or redis.call('GET', entry)
    local payloadAt = head.length + head.metaBytes
    meta, tagBytes = string.sub(text, head.length + 1, payloadAt), head.tagBytes
    number = string.sub(text, payloadAt + 1)
    if not string.match(number, '^-?%d+$') then number = nil end
  end
end
-- Others may have added since: what this one left is remembered beside its outcome.
local before, remembered = string.match(recent, op .. '=(%d)(-?%d+);')
if before then
  return {
    OK, level, minuteOps, nowMs, opm, burst, own, before == '1' and 6 or 4, remembered, head and head.expires or 0,
    head and head.fresh or 0, head and head.digest or '',
  }
end

local outcome, sum, expires, fresh, digest = 3, '', 0, 0, ''
if number then
  local total = number + ARGV[6]
  if math.abs(total) >= TOO_LARGE or math.abs(number + 0) >= TOO_LARGE then
    outcome = 7
  else
    outcome, sum = visible and 2 or 1, string.format('%.0f', total)
    if sum == '-0' then sum = '0' end
  end
end
if outcome < 3 then
  local left = read_stock(stock, nowMs)
  digest = string.sub(redis.sha1hex('num,' .. #sum .. ',' .. meta .. sum), 1, 22)
  local item = {
    ttl = ARGV[7], grace = ARGV[8], metaBytes = #meta, tagBytes = tagBytes, rawBytes = #sum, blob = '-', digest = digest, op = op,
    codec = 'num', body = meta .. sum,
  }
  expires, fresh = lifetime_of(item, nowMs)
  if visible then expires, fresh = head.expires, head.fresh end
  local line, charged = entry_line(entry, item, expires, fresh, left.seq + 1, nowMs, visible and 'r' or 'c')
  local oldCharge = exists and charge_of(entry, head) or nil
  local grown = left.memory + charged - (oldCharge or 0)
  local transferBytes = #sum
  if gate[7] then memoryLimit = within_share(gate[7], memoryLimit, left) end
  if gate[4] or grown > memoryLimit + 0 or transfer + transferBytes > transferLimit + 0 then
--- @include "includes/holds.lua"
--- @include "includes/check-memory.lua"
--- @include "includes/check-transfer.lua"
  else
    transfer = transfer + transferBytes
  end
  redis.call('SET', entry, entry_text(line, item, minute))
  local added, removed = {}, {}
  count_entry(left, entry, item, expires, charged, minute, head, oldCharge, nowMs, added, removed)
  if #removed > 0 then redis.call('ZREM', index, unpack(removed)) end
  redis.call('ZADD', index, unpack(added))
  left.bytesIn = left.bytesIn + transferBytes
  more = remember(more, outcome .. sum)
  stock = write_stock(left)
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, sum, expires, fresh, digest }
