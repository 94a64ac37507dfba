--[[
  Write a tenant's record and gate, unless they are there.

  Why a script: a tenant whose record can be read has its limits; running again after a lost reply changes nothing.

  KEYS[1] record        string   the tenant: `t2,<rev>,<op>\n<JSON>`
  KEYS[2] gate          hash     the tenant's limits, counters and API keys
  KEYS[3] erased        string   exists when a tenant of this id was erased

  ARGV[1] stored                 the record
  ARGV[2] limits                 field `h` of the gate
  ARGV[3] counters               field `m` of the gate
  ARGV[4] context                field `x` of the gate, JSON
  ARGV[5..] fields               name and value of further fields of the gate

  Returns { 1, the record as stored } created, { 0, the record as stored } it was there, { 2 } it was erased, and stays so.

  Cost: O(fields), at most 4 inner calls.
]]
local stored = redis.call('GET', KEYS[1])
if stored then return { 0, stored } end
if redis.call('EXISTS', KEYS[3]) == 1 then return { 2 } end
redis.call('HSET', KEYS[2], 'h', ARGV[2], 'm', ARGV[3], 'x', ARGV[4], unpack(ARGV, 5))
redis.call('SET', KEYS[1], ARGV[1])
return { 1, ARGV[1] }
