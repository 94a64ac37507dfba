--[[
  Forget an invalidation once nothing is left that it hides, and no load that began before it can still end.

  Why a script: an invalidation made meanwhile must stay.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] invalidated   zset     fields of `gate` that hold epochs not settled, by seq

  ARGV[1] field                  all; n:<namespace>; or t:<tag>
  ARGV[2] epoch                  the epoch (of a namespace the fence) up to which everything was reclaimed
  ARGV[3] afterMs                how long it has to stay at least, ms

  Returns 1 forgotten, 0 it stays.

  Cost: O(1). 6 inner calls at most.
]]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local field, epoch = ARGV[1], ARGV[2]
local all, namespaces, tags, allAt, share =
  string.match(redis.call('HGET', KEYS[1], 'v') or '', '^v1,(%d+),(%d+),(%d+),(%d+),(%d+)$')
if not all then return 0 end
if field == 'all' then
  if all ~= epoch or nowMs - allAt < ARGV[3] + 0 then return 0 end
  all, allAt = '0', '0'
else
  local value = redis.call('HGET', KEYS[1], field) or ''
  -- Of a namespace the second number is the fence, which is never older than its epoch.
  local newest, at = string.match(value, field:sub(1, 1) == 'n' and '^%d+,(%d+),(%d+)$' or '^(%d+),(%d+)$')
  if newest ~= epoch or nowMs - at < ARGV[3] + 0 then return 0 end
  redis.call('HDEL', KEYS[1], field)
  redis.call('ZREM', KEYS[2], field)
  if field:sub(1, 1) == 'n' then namespaces = namespaces - 1 else tags = tags - 1 end
end
local pending = string.format('v1,%s,%d,%d,%s,%s', all, math.max(0, namespaces), math.max(0, tags), allAt, share)
if pending == 'v1,0,0,0,0,0' then
  redis.call('HDEL', KEYS[1], 'v')
else
  redis.call('HSET', KEYS[1], 'v', pending)
end
return 1
