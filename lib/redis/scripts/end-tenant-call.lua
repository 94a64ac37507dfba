--[[
  End a tenant's call that carries an `Idempotency-Key`: keep its reply, or forget it.

  Why a script: only the run that holds the lease may end it, not one that was taken over; and the reply is charged in the
  step that keeps it.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] call          string   the call: its head, and its reply once it is done
  KEYS[4] index         zset     the tenant's index

  ARGV[1] op                     the operation id it ran with
  ARGV[2] lease                  as `begin-tenant-call` gave it
  ARGV[3] reply                  what was answered; empty: it changed nothing and may be tried again

  Returns { 1, 0 } done; { 0, 0 } it was not this run's any more; { 2, 0 } memory is too full for the reply: the call may be
  run again at once, with its operation id.

  Cost: O(1). 6 inner calls.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/record.lua"
--- @include "includes/tenant-call.lua"
--- @include "includes/holds.lua"
local record, reply = KEYS[3], ARGV[3]
local text = redis.call('GETRANGE', record, 0, 255)
local call = read_call(text, nowMs)
if not call or call.op ~= ARGV[1] or call.lease ~= ARGV[2] then return { 0, 0 } end
if call.done then return { 1, 0 } end
local gate = redis.call('HMGET', KEYS[1], 'h', 'r')
local memoryLimit = string.match(gate[1] or '', '^h1,%a+,%d+,%d+,%d+,%d+,(%d+),')
if not memoryLimit then return { 0, 0 } end

local outcome = 1
-- It runs: what was read is all there is of it.
local charged = #record + #text + ENTRY_OVERHEAD_BYTES
if reply == '' then
  forget_record(left, record, KEYS[4], call.expires, charged)
else
  call.done = true
  local written = write_call(call, reply)
  local before = left.memory
  local grown = left.memory + #record + #written + ENTRY_OVERHEAD_BYTES - charged
  if grown + (gate[2] and read_held(gate[2]).m or 0) > memoryLimit + 0 then
    local held = gate[2] and free_abandoned(KEYS[1], KEYS[2], gate[2], nowMs).m or 0
    if grown + held > memoryLimit + 0 then outcome = 2 end
  end
  if outcome == 2 then
    call.done, call.lease = false, string.format('%d', nowMs)
    written = write_call(call, '')
    left.memory = left.memory + #record + #written + ENTRY_OVERHEAD_BYTES - charged
  else
    left.memory = grown
  end
  left.kept = math.max(0, left.kept + left.memory - before)
  redis.call('SET', record, written)
end
--- @include "includes/close-stock.lua"
return { outcome, 0 }
