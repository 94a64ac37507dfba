--[[
  Take one of the deployment's places for a tenant about to be created.

  Why a script: count and reserve must be one step, or two creations both take the last place.

  KEYS[1] tenants       zset     ids of the tenants that exist
  KEYS[2] reservations  hash     id -> Unix ms of a creation under way

  ARGV[1] id                     the tenant's id
  ARGV[2] maxTenants             places in all

  Returns { granted 1|0, places taken }. Granted again for an id that has its place.

  Cost: O(1), at most 5 inner calls.
]]
local id, places = ARGV[1], tonumber(ARGV[2])
local taken = redis.call('ZCARD', KEYS[1]) + redis.call('HLEN', KEYS[2])
if redis.call('HEXISTS', KEYS[2], id) == 1 or redis.call('ZSCORE', KEYS[1], id) then return { 1, taken } end
if taken >= places then return { 0, taken } end
local time = redis.call('TIME')
redis.call('HSET', KEYS[2], id, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return { 1, taken + 1 }
