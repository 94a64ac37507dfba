--[[
  Begin a call that carries an `Idempotency-Key`, or learn how its first one went.

  Why a script: of two equal calls at once, one must run and the other must know.

  KEYS[1] call          hash     body, op, until, reply of the call

  ARGV[1] body                   digest of the request
  ARGV[2] op                     operation id for a first call
  ARGV[3] leaseMs                how long a call may run before another takes it over, with its operation id
  ARGV[4] ttlMs                  how long the outcome is kept

  Returns { 1, op, lease } run it, and end it with both; { 2, reply } it is done; { 3, ms until it may be taken over } it runs; { 4 } the key was used
  for another request.

  Cost: O(1), at most 4 inner calls.
]]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local call = redis.call('HMGET', KEYS[1], 'body', 'op', 'until', 'reply')
local lease = string.format('%.0f', nowMs + ARGV[3])
if not call[1] then
  redis.call('HSET', KEYS[1], 'body', ARGV[1], 'op', ARGV[2], 'until', lease)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return { 1, ARGV[2], lease }
end
if call[1] ~= ARGV[1] then return { 4 } end
if call[4] then return { 2, call[4] } end
local left = tonumber(call[3]) - nowMs
-- The same operation asks again when the reply to its first question was lost.
if left > 0 and call[2] ~= ARGV[2] then return { 3, left } end
redis.call('HSET', KEYS[1], 'until', lease)
return { 1, call[2], lease }
