--[[
  End a reservation: what was used of it is counted, the rest is given back.

  Why a script: the reservation goes and its use is counted in one step, so nothing is counted twice, nor nowhere.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] id                     of the reservation
  ARGV[7] amount                 what was used of it; 0 = nothing, a refund
  ARGV[8] op                     id of this operation: the same again is a replay, answered and not metered

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, reserved, limits,
  counters, held }; outcome m, s, t, o: settled, of that resource; n: no such reservation, or it was abandoned or
  settled; x: less was reserved, nothing changed but the metering; or a refusal of the gate.

  Cost: O(log n) of the open reservations, 6 inner calls; 4 when there is nothing to settle.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/holds.lua"
local field, amount, op = 'q:' .. ARGV[6], tonumber(ARGV[7]), ARGV[8]
local found = redis.call('HMGET', KEYS[1], field, 'd')
-- `d` keeps the last operations, newest first: of these as `<op>=<outcome><reserved>;`.
local recent = found[2] or ''
local outcome, reserved
local at = string.find(recent, op .. '=', 1, true)
if at then outcome, reserved = string.match(recent, '^(%a)(%d+);', at + #op + 1) end
if outcome then
  return {
    OK, level - OPERATION, minuteOps - 1, nowMs, opm, burst, own, outcome, reserved, gate[1], gate[2], gate[4] or '',
  }
end

local expires, countedIn
outcome, reserved, expires, countedIn = string.match(found[1] or '', '^q1,(%a),(%d+),(%d+),(%d+)$')
if not outcome or expires + 0 <= nowMs then
  outcome, reserved = 'n', '0'
elseif amount > reserved + 0 then
  outcome = 'x'
end
local held = read_held(gate[4])
more = more or {}
if outcome ~= 'n' and outcome ~= 'x' then
  redis.call('ZREM', KEYS[2], ARGV[6] .. ',' .. outcome .. ',' .. reserved)
  redis.call('HDEL', KEYS[1], field)
  if outcome == 'o' then
    -- The next minute begins at nothing: only to this one something can be given back.
    if countedIn == minute then
      minuteOps = math.max(1, minuteOps - (reserved - amount))
      ops = math.max(0, ops - (reserved - amount))
    end
  else
    held[outcome] = math.max(0, held[outcome] - reserved)
    if outcome == 't' then
      transfer, bytesOut = transfer + amount, bytesOut + amount
    elseif amount > 0 then
      local left = read_stock(stock, nowMs)
      if outcome == 'm' then
        left.memory, held.committedM = left.memory + amount, held.committedM + amount
      else
        left.storage, held.committedS = left.storage + amount, held.committedS + amount
      end
      stock = write_stock(left)
    end
    more[#more + 1] = 'r'
    more[#more + 1] = write_held(held)
  end
end
more[#more + 1] = 'd'
more[#more + 1] = string.sub(op .. '=' .. outcome .. reserved .. ';' .. recent, 1, 1728)
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, reserved, gate[1], counters, write_held(held) }
