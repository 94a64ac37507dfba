--[[
  Store cache entries of one namespace through the tenant's gate, as one operation. Each has its own outcome.

  Why a script: limits, memory budget, conditions, values, index and counters change together or not at all.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] index         zset     the tenant's index
  KEYS[4..] entries     string   the entries, none twice: head line, metadata, payload

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] op                     id of this operation: the same again is a replay, answered for each entry
  ARGV[7..] items                of each entry nine: condition, ttl ms, grace ms, metadata bytes, tags bytes, raw bytes, digest,
                                 codec, body; as of set-cache-entry

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, memory limit in bytes, 1 if that is
  the tenant's share of what all have together, of each entry four: outcome, expires ms, fresh until ms, digest }, or a refusal of
  the gate, which changed nothing. Outcomes as of set-cache-entry: 1, 2, 3, 4, 6, and 5: then used and held bytes and what is
  needed follow instead. Nothing is metered when all are replays, or none is stored and one finds no room.

  Cost: O(entries * log n) of the index. 6 inner calls and one for each entry; one more for each while something is invalidated
  and not reclaimed. Call it with at most 100.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/store-entry.lua"
--- @include "includes/holds.lua"
local index, op, firstItem, held, pending = KEYS[3], ARGV[6], 6, gate[4], gate[7]
local left, quota = read_stock(stock, nowMs), tonumber(memoryLimit)
--- @include "includes/store-entries.lua"
local transferBytes = storedBytes
--- @include "includes/check-transfer.lua"
local replays, full = 0, 0
for i = 1, #outcomes, 4 do
  if outcomes[i] == 4 or outcomes[i] == 6 then replays = replays + 1 end
  if outcomes[i] == 5 then full = full + 1 end
end
if #pairsToSet > 0 then
--- @include "includes/write-entries.lua"
  left.bytesIn = left.bytesIn + transferBytes
  stock = write_stock(left)
end
-- What finds no room is asked again once there is some: then it is metered.
if #pairsToSet > 0 or (full == 0 and replays < #KEYS - 3) then
  -- What this operation stored before was metered then.
  if replays > 0 then level, minuteOps, ops = math.max(0, level - OPERATION), minuteOps - 1, ops - 1 end
--- @include "includes/close-gate.lua"
end
local shared = memoryLimit + 0 < quota and 1 or 0
return { OK, level, minuteOps, nowMs, opm, burst, own, memoryLimit + 0, shared, unpack(outcomes) }
