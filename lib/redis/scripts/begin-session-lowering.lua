--[[
  Begin to lower what a tenant is granted of the session memory. Nothing is free for others before it is settled.

  Why a script: a grant that came between reading the epoch and writing the next one would be called off unseen.

  KEYS[1] budget        hash     tenant -> `<granted bytes>,<epoch>`; total -> bytes granted to all

  ARGV[1] tenant                 its id
  ARGV[2] target                 bytes it is to keep

  Returns { epoch of the lowering, 0 when it is granted no more than the target: nothing was changed; bytes granted to it }.

  Cost: O(1). 2 inner calls.
]]
local granted, epoch = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '0,0', '^(%d+),(%d+)$')
if tonumber(granted) <= tonumber(ARGV[2]) then return { 0, granted } end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%s,%d', granted, epoch + 1))
return { epoch + 1, granted }
