--[[
  Read the limits and counters of a tenant, and the points kept of them.

  Why a script: how much is used this minute depends on what time it is, so both are read in one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] erased        string   exists when the tenant was erased

  ARGV[1..] fields               fields of `gate`; the first is one that every tenant has

  Returns { now (Unix ms), values of `fields`, erased 1|0 }.

  Cost: O(fields), 2 inner calls; 3 when there is no such tenant.
]]
local time = redis.call('TIME')
local nowMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
local values = redis.call('HMGET', KEYS[1], unpack(ARGV))
return { nowMs, values, values[1] and 0 or redis.call('EXISTS', KEYS[2]) }
