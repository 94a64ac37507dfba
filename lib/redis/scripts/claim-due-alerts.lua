--[[
  Take alerts that are due, for a while.

  Why a script: two passes at once must not send the same alert; one that is killed gives it back by the time it took it for.

  KEYS[1] due           zset     `<tenant>,<alert>` by Unix ms of the next attempt

  ARGV[1] nowMs                  those due until now
  ARGV[2] untilMs                when they are due again, unless told otherwise
  ARGV[3] limit                  at most so many, up to 1,000

  Returns the members taken, longest due first.

  Cost: O(limit * log(due)), at most 2 inner calls.
]]
local members = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
local scored = {}
for _, member in ipairs(members) do
  scored[#scored + 1] = ARGV[2]
  scored[#scored + 1] = member
end
if #scored > 0 then redis.call('ZADD', KEYS[1], unpack(scored)) end
return members
