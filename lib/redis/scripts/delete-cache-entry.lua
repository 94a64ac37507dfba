--[[
  Remove one cache entry through the tenant's gate; or say what that would remove, and leave everything as it is.

  Why a script: the condition, the removal, the index and the counters are one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] entry         string   the entry: head line, metadata, payload
  KEYS[3] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] condition              empty = none; exists; digests one of which must be stored, comma separated; or
                                 `unreadable,` and perhaps a digest: what was found damaged, of that digest or no head
  ARGV[7] op                     id of this operation: the same again is a replay, answered and not metered; empty = only say
                                 what would be removed

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome }: 1 removed, 0 there was none,
  3 condition failed; of an empty op also the bytes that 1 would give back; or a refusal of the gate.

  Cost: O(log n) of the index. 7 inner calls; 5 when there is none, 8 when its bytes are measured; 4 of an empty op.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/entry.lua"
local entry, condition, op = KEYS[2], ARGV[6], ARGV[7]
-- `d` keeps the last 64 removals, newest first, as `<op>=<outcome>;`: a removed entry has no head to tell a replay by.
local dry = op == ''
local recent = not dry and redis.call('HGET', KEYS[1], 'd') or ''
local replayed = string.match(recent, op .. '=(%d);')
if replayed then return { OK, level, minuteOps, nowMs, opm, burst, own, tonumber(replayed) } end

local old = redis.call('GETRANGE', entry, 0, 255)
local exists = old ~= ''
local head = exists and read_head(old, nowMs)
local visible = exists and not (head and head.gone)
local damaged = string.sub(condition, 1, 11) == 'unreadable,'
local holds = condition == '' or (condition == 'exists' and visible) or (damaged and exists and not head)
if not holds and visible and head then
  holds = string.find(',' .. condition .. ',', ',' .. head.digest .. ',', 1, true) ~= nil
end

local outcome, bytes = 3, nil
if holds then
  outcome = visible and 1 or 0
  -- A damaged head may lie about its charge: then the bytes are measured.
  if damaged and head then head.charged = nil end
  if dry then
    bytes = visible and charge_of(entry, head) or 0
  elseif exists then
    local left = read_stock(stock, nowMs)
    forget_entry(left, entry, KEYS[3], head)
    if visible then left.seq = left.seq + 1 end
    stock = write_stock(left)
  end
end
if not dry then
  more = more or {}
  more[#more + 1] = 'd'
  more[#more + 1] = string.sub(op .. '=' .. outcome .. ';' .. recent, 1, 1728)
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, bytes }
