--[[
  Read the limits and counters of a tenant, and the points kept of them.

  Why a script: how much is used this minute depends on what time it is, so both are read in one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1..] fields               fields of `gate`

  Returns { now (Unix ms), values of `fields` }.

  Cost: O(fields), 2 inner calls.
]]
local time = redis.call('TIME')
local nowMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
return { nowMs, redis.call('HMGET', KEYS[1], unpack(ARGV)) }
