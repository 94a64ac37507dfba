--[[
  Begin a tenant's call that carries an `Idempotency-Key`, through its gate, or learn how its first one went.

  Why a script: of two equal calls at once, one must run and the other must know; and who may not call leaves no record.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] call          string   the call: its head, and its reply once it is done
  KEYS[4] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] body                   digest of the request
  ARGV[7] op                     operation id for a first call; the same again, while it runs, is a replay
  ARGV[8] leaseMs                how long a call may run before another takes it over, with its operation id
  ARGV[9] ttlMs                  how long the outcome is kept

  Only an answer that is no run is metered: 2, 3 and 4.

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, … }; outcome 1, op, lease:
  run it, and end it with both; 2, reply: it is done; 3, ms until it may be taken over: it runs; 4 the key was used for another
  request; 5 memory is full, nothing changed and nothing metered: then used, held, what is needed and the limit follow, in
  bytes; or a refusal of the gate.

  Cost: O(bytes of the reply). 6 inner calls for a first call, 4 for one that is done, 7 over one that has expired.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/record.lua"
--- @include "includes/tenant-call.lua"
--- @include "includes/holds.lua"
local record, index = KEYS[3], KEYS[4]
local text = redis.call('GET', record)
local call = text and read_call(text, nowMs)
local lease = string.format('%d', nowMs + ARGV[8])
local outcome, first
if call and not call.gone then
  local runsMs = call.lease - nowMs
  if call.body ~= ARGV[6] then
    outcome = 4
  elseif call.done then
    outcome, first = 2, string.sub(text, string.find(text, '\n', 1, true) + 1)
  elseif runsMs > 0 and call.op == ARGV[7] then
    return { OK, level, minuteOps, nowMs, opm, burst, own, 1, call.op, call.lease }
  elseif runsMs > 0 then
    outcome, first = 3, runsMs
  else
    call.lease = lease
    redis.call('SET', record, write_call(call, ''))
    outcome, first = 1, call.op
  end
else
  local begun = { done = false, op = ARGV[7], lease = lease, expires = nowMs + ARGV[9], body = ARGV[6] }
  local written = write_call(begun, '')
  local left = read_stock(stock, nowMs)
  local before = text and #record + #text + ENTRY_OVERHEAD_BYTES or 0
  local grown = left.memory + #record + #written + ENTRY_OVERHEAD_BYTES - before
--- @include "includes/check-memory.lua"
  local member = key_member(record)
  if call then redis.call('ZREM', index, expiry_member(call.expires, member)) end
  redis.call('ZADD', index, 0, member, 0, expiry_member(begun.expires, member))
  redis.call('SET', record, written)
  left.kept = left.kept + grown - left.memory
  left.memory = grown
  stock = write_stock(left)
  outcome, first = 1, begun.op
end
-- A call that is to run meters itself, with its own script: beginning it is let in by the limits and takes nothing of
-- them. Else a tenant with a burst of one could never finish a call.
if outcome == 1 then
  level, minuteOps, ops = level - OPERATION, minuteOps - 1, ops - 1
  local others
  for i = 1, more and #more or 0, 2 do
    if string.sub(more[i], 1, 2) ~= 'l:' then
      others = others or {}
      others[#others + 1], others[#others + 2] = more[i], more[i + 1]
    end
  end
  more = others
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, first, lease }
