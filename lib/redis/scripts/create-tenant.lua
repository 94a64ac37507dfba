--[[
  Write a tenant's record and gate, unless they are there.

  Why a script: a tenant whose record can be read has its limits; running again after a lost reply changes nothing.

  KEYS[1] record        string   the tenant, JSON
  KEYS[2] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] json                   the record
  ARGV[2] limits                 field `h` of the gate
  ARGV[3] counters               field `m` of the gate
  ARGV[4] context                field `x` of the gate, JSON

  Returns { created 1|0, the record as stored }.

  Cost: O(1), at most 3 inner calls.
]]
local stored = redis.call('GET', KEYS[1])
if stored then return { 0, stored } end
redis.call('HSET', KEYS[2], 'h', ARGV[2], 'm', ARGV[3], 'x', ARGV[4])
redis.call('SET', KEYS[1], ARGV[1])
return { 1, ARGV[1] }
