--[[
  Free the memory a tenant has given back: unless it was granted anew since.

  Why a script: what is freed here others are granted at once, and no grant of this tenant may come between.

  KEYS[1] budget        hash     tenant -> `<granted bytes>,<epoch>`; total -> bytes granted to all

  ARGV[1] tenant                 its id
  ARGV[2] target                 bytes it keeps. With 0 it stays in the pool, for its epoch: a late caller may know an older one
  ARGV[3] epoch                  of the lowering

  Returns 1 it is so, 0 it was granted anew, or is not in the pool.

  Cost: O(1). 2 inner calls.
]]
local stored, total = unpack(redis.call('HMGET', KEYS[1], ARGV[1], 'total'))
local granted, epoch = string.match(stored or '', '^(%d+),(%d+)$')
if epoch ~= ARGV[3] then return 0 end
local target = tonumber(ARGV[2])
local freed = granted - target
if freed > 0 then
  redis.call(
    'HSET', KEYS[1], ARGV[1], string.format('%d,%s', target, epoch), 'total', string.format('%d', total - freed)
  )
end
return 1
