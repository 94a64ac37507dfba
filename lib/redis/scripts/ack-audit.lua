--[[
  Take audit entries out of a tenant's outbox: they are in the deployment's log.

  Why a script: an entry added meanwhile stays.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys; field `o` is the outbox

  ARGV[1..] entries              the entries as they stand there, each a line

  Returns { entries left }.

  Cost: O(entries), 2 inner calls.
]]
local outbox = redis.call('HGET', KEYS[1], 'o')
if not outbox then return { 0 } end
local told, left = {}, {}
for _, entry in ipairs(ARGV) do told[entry] = true end
for line in string.gmatch(outbox, '[^\n]+') do
  if not told[line] then left[#left + 1] = line end
end
if #left == 0 then
  redis.call('HDEL', KEYS[1], 'o')
else
  redis.call('HSET', KEYS[1], 'o', table.concat(left, '\n'))
end
return { #left }
