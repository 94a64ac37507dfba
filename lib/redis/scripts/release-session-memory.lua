--[[
  Take a tenant that is no more out of the pool of the session memory.

  Why a script: its bytes are free for others at the moment it leaves.

  KEYS[1] budget        hash     tenant -> `<granted bytes>,<epoch>`; total -> bytes granted to all

  ARGV[1] tenant                 its id

  Returns { 1 it was in the pool|0 it was not, bytes that are free now }.

  Cost: O(1). 3 inner calls.
]]
local stored, total = unpack(redis.call('HMGET', KEYS[1], ARGV[1], 'total'))
local granted = string.match(stored or '', '^(%d+),%d+$')
if not granted then return { 0, 0 } end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], 'total', string.format('%d', total - granted))
return { 1, granted }
