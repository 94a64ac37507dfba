--[[
  End a call that carries an `Idempotency-Key`: keep its reply, or forget it.

  Why a script: only the run that holds the lease may end it, not one that was taken over: a call that was answered keeps
  its answer.

  KEYS[1] call          hash     body, op, until, reply of the call

  ARGV[1] op                     the operation id it ran with
  ARGV[2] lease                  as `begin-idempotent` gave it
  ARGV[3] reply                  what was answered; empty: it changed nothing and may be tried again

  Returns { 1 } done, { 0 } it was not this run's any more.

  Cost: O(1), 2 inner calls.
]]
local call = redis.call('HMGET', KEYS[1], 'op', 'until')
if call[1] ~= ARGV[1] or call[2] ~= ARGV[2] then return { 0 } end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'reply', ARGV[3])
end
return { 1 }
