--[[
  Invalidate cache entries through the tenant's gate: all, of a namespace, or of tags; begin it for keys; or count what that would be.

  Why a script: from one moment on no read sees any of them, and no load that began before is stored.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3] invalidated   zset     fields of `gate` that hold epochs not settled, by seq

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] op                     id of this operation: the same again is a replay, and invalidates nothing again; empty = only count
  ARGV[7] what                   all, namespace, prefix, named or tags: includes/invalidate.lua
  ARGV[8..] names                the namespace, the namespace and a prefix, or the tags; of named none

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome 1 done|2 too much waits to be
  reclaimed, seq: of older entries, unsettled: records that have expired, newest epoch not settled, of each name the entries that
  match }, or a refusal of the gate.

  Cost: O(log n) of the index for each name, whatever matches. 8 inner calls, one more while something is invalidated
  and not settled; of tags 3 more, and one for each beyond the first.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
local index, invalidated, op, what, names = KEYS[2], KEYS[3], ARGV[6], ARGV[7], {}
for i = 8, #ARGV do names[i - 7] = ARGV[i] end
local pending = gate[7]
--- @include "includes/recent-operation.lua"
local dry = op == '' or replayed ~= nil
local left = read_stock(stock, nowMs)
--- @include "includes/invalidate.lua"
if replayed then
  return { OK, level, minuteOps, nowMs, opm, burst, own, replayed, left.seq, unsettled, newest, unpack(counts) }
end
if not dry then
  more = remember(more, outcome)
  stock = write_stock(left)
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, left.seq, unsettled, newest, unpack(counts) }
