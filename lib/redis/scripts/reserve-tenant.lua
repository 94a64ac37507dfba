--[[
  Take one of the deployment's places for a tenant about to be created.

  Why a script: count and reserve must be one step, or two creations both take the last place.

  KEYS[1] tenants       zset     ids of the tenants that exist
  KEYS[2] reservations  hash     id -> `<Unix ms>,<entry id>,<audit entry, JSON>` of a creation under way

  ARGV[1] id                     the tenant's id
  ARGV[2] maxTenants             places in all
  ARGV[3] entryId                the audit entry's id
  ARGV[4] entry                  the audit entry, JSON: whoever confirms the tenant hands it on

  Returns { 1, places taken } granted, { 2, places taken } it has its place already, { 0, places taken } there is none.

  Cost: O(1), at most 6 inner calls.
]]
local id, places = ARGV[1], tonumber(ARGV[2])
local taken = redis.call('ZCARD', KEYS[1]) + redis.call('HLEN', KEYS[2])
if redis.call('HEXISTS', KEYS[2], id) == 1 or redis.call('ZSCORE', KEYS[1], id) then return { 2, taken } end
if taken >= places then return { 0, taken } end
local time = redis.call('TIME')
local nowMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[2], id, nowMs .. ',' .. ARGV[3] .. ',' .. ARGV[4])
return { 1, taken + 1 }
