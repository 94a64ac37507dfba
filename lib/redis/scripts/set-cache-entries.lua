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

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, of each entry four: outcome, expires
  ms, fresh until ms, digest }, or a refusal of the gate, which changed nothing. Outcomes as of set-cache-entry: 1, 2, 3, 4, 6,
  and 5: then used and held bytes and what is needed follow instead.

  Cost: O(entries * log n) of the index. 6 inner calls and one for each entry; one more for each while something is invalidated
  and not reclaimed. Call it with at most 100.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/store-entry.lua"
--- @include "includes/holds.lua"
local FIELDS = 9
local index, op = KEYS[3], ARGV[6]
local left = read_stock(stock, nowMs)
local outcomes, added, removed, pairsToSet, transferBytes = {}, {}, {}, {}, 0
local heldBytes = gate[4] and read_held(gate[4]).m or 0
if gate[7] then memoryLimit = within_share(gate[7], memoryLimit) end

for i = 4, #KEYS do
  local entry, at = KEYS[i], 6 + (i - 4) * FIELDS
  local item = {
    ttl = ARGV[at + 2], grace = ARGV[at + 3], metaBytes = ARGV[at + 4], tagBytes = ARGV[at + 5], rawBytes = ARGV[at + 6],
    blob = '-', digest = ARGV[at + 7], op = op, codec = ARGV[at + 8], body = ARGV[at + 9],
  }
  local exists, head, visible = known_entry(entry, KEYS[1], gate[7], nowMs)
  local replayed = head and string.match(head.op, '^' .. op .. '(%a)$')
  local outcome = { 3, 0, 0, '' }
  if replayed then
    outcome = { replayed == 'c' and 6 or 4, head.expires, head.fresh, head.digest }
  elseif condition_holds(ARGV[at + 1], head, visible) then
    local expires, fresh = lifetime_of(item, nowMs)
    local line, charged = entry_line(entry, item, expires, fresh, left.seq + 1, nowMs, visible and 'r' or 'c')
    local oldCharge = exists and charge_of(entry, head) or nil
    local grown = left.memory + charged - (oldCharge or 0)
    if grown + heldBytes > memoryLimit + 0 and heldBytes > 0 then
      heldBytes = free_abandoned(KEYS[1], KEYS[2], gate[4], nowMs).m
    end
    if grown + heldBytes > memoryLimit + 0 then
      outcome = { 5, left.memory, heldBytes, grown - left.memory }
    else
      outcome = { visible and 2 or 1, expires, fresh, item.digest }
      count_entry(left, entry, item, expires, charged, minute, head, oldCharge, nowMs, added, removed)
      pairsToSet[#pairsToSet + 1] = entry
      pairsToSet[#pairsToSet + 1] = entry_text(line, item, minute)
      transferBytes = transferBytes + item.rawBytes
    end
  end
  for place = 1, 4 do outcomes[#outcomes + 1] = outcome[place] end
end
--- @include "includes/check-transfer.lua"

-- Lua takes some 8,000 values at a time.
if #pairsToSet > 0 then
  redis.call('MSET', unpack(pairsToSet))
  for from = 1, #removed, 1000 do redis.call('ZREM', index, unpack(removed, from, math.min(from + 999, #removed))) end
  for from = 1, #added, 1000 do redis.call('ZADD', index, unpack(added, from, math.min(from + 999, #added))) end
  left.bytesIn = left.bytesIn + transferBytes
  stock = write_stock(left)
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, unpack(outcomes) }
