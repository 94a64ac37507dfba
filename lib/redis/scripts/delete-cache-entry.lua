--[[
  Remove one cache entry through the tenant's gate; or say what that would remove, and leave everything as it is.

  Why a script: the condition, the removal, the index and the counters are one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] entry         string   the entry: head line, metadata, payload
  KEYS[3] index         zset     the tenant's index
  KEYS[4] lease         string   the token of who loads the entry: a load under way is not stored; has a TTL

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] condition              empty = none; exists; digests one of which must be stored, comma separated; or
                                 `unreadable,` and perhaps a digest: what was found damaged, of that digest or no head
  ARGV[7] op                     id of this operation: the same again is a replay, answered and not metered; empty = only say
                                 what would be removed

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome }: 1 removed, 0 there was none,
  3 condition failed; of an empty op also the bytes that 1 would give back; or a refusal of the gate.

  Cost: O(log n) of the index. 7 inner calls; 6 when there is none, 8 when its bytes are measured or in S3; 4 of an empty op; one
  more while something is invalidated and not reclaimed.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/store-entry.lua"
local entry, condition, op = KEYS[2], ARGV[6], ARGV[7]
local dry = op == ''
--- @include "includes/recent-operation.lua"
if replayed then return { OK, level, minuteOps, nowMs, opm, burst, own, replayed } end

local exists, head, visible = known_entry(entry, KEYS[1], gate[7], nowMs)
local damaged = string.sub(condition, 1, 11) == 'unreadable,'
local holds = (damaged and exists and not head) or condition_holds(condition, head, visible or (damaged and exists))

local outcome, bytes = 3, nil
if holds then
  outcome = visible and 1 or 0
  -- A damaged head may lie about its charge: then the bytes are measured.
  if damaged and head then head.charged = nil end
  if dry then
    bytes = visible and charge_of(entry, head) or 0
  elseif exists then
    local left = read_stock(stock, nowMs)
    forget_entry(left, entry, KEYS[3], head, nowMs, KEYS[4])
    if visible then left.seq = left.seq + 1 end
    stock = write_stock(left)
  else
    redis.call('UNLINK', KEYS[4])
  end
end
if not dry then more = remember(more, outcome) end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, bytes }
