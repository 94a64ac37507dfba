--[[
  End a call that carries an `Idempotency-Key`: keep its reply, or forget it.

  Why a script: only the call that began may end it, not one that was taken over.

  KEYS[1] call          hash     body, op, until, reply of the call

  ARGV[1] op                     the operation id it ran with
  ARGV[2] reply                  what was answered; empty: it changed nothing and may be tried again

  Returns { 1 } done, { 0 } it was not this call's any more.

  Cost: O(1), 2 inner calls.
]]
if redis.call('HGET', KEYS[1], 'op') ~= ARGV[1] then return { 0 } end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'reply', ARGV[2])
end
return { 1 }
