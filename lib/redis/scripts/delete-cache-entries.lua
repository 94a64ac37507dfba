--[[
  Remove cache entries of one namespace through the tenant's gate, as one operation. Each has its own outcome.

  Why a script: the removals, the index and the counters are one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3..] records     string   the entries, none twice: head line, metadata, payload; then as many leases, of those who load
                                 them: a load under way is not stored

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] op                     id of this operation: the same again is a replay, answered and not metered

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, a digit for each entry: 1 removed, 0
  there was none }, or a refusal of the gate.

  Cost: O(entries * log n) of the index. 6 inner calls and one for each entry; one more for each while something is invalidated
  and not reclaimed, 2 more for each that cannot be read. Call it with at most 100.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/store-entry.lua"
local index, op, count = KEYS[2], ARGV[6], (#KEYS - 2) / 2
--- @include "includes/recent-operation.lua"
-- It left a digit for each entry.
replayed = string.match(recent, op .. '=(%d+);')
if replayed then return { OK, level, minuteOps, nowMs, opm, burst, own, replayed } end

local left = read_stock(stock, nowMs)
local outcomes, gone, members, doomed, changed = {}, {}, {}, {}, false
for i = 3, count + 2 do
  local entry = KEYS[i]
  local exists, head, visible = known_entry(entry, KEYS[1], gate[7], nowMs)
  outcomes[i - 2] = visible and '1' or '0'
  gone[#gone + 1] = KEYS[i + count]
  if exists and head then
    local keyMember = key_member(entry)
    uncount_entry(left, entry, head, charge_of(entry, head))
    gone[#gone + 1] = entry
    members[#members + 1] = keyMember
    for _, member in ipairs(further_members(head, keyMember)) do members[#members + 1] = member end
    local told = not head.gone and change_member(left, head.seq, keyMember)
    if told then
      doomed[#doomed + 1] = 0
      doomed[#doomed + 1] = told
    end
    if head.blob ~= '-' then
      doomed[#doomed + 1] = 0
      doomed[#doomed + 1] = doomed_member(head.blob, nowMs)
    end
  elseif exists then
    forget_entry(left, entry, index, head, nowMs)
  end
  changed = changed or exists
end
redis.call('UNLINK', unpack(gone))
-- Lua takes some 8,000 values at a time.
for from = 1, #members, 1000 do redis.call('ZREM', index, unpack(members, from, math.min(from + 999, #members))) end
if #doomed > 0 then redis.call('ZADD', index, unpack(doomed)) end
if changed then
  left.seq = left.seq + 1
  stock = write_stock(left)
end
outcomes = table.concat(outcomes)
more = remember(more, outcomes)
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcomes }
