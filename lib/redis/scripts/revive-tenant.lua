--[[
  Put a tenant back that Redis has lost, with its records loaded before.

  Why a script: it serves from the moment its gate is there, so all that decides what it lets through comes in that step; a tenant
  that is there is left as it is.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] record        string   the tenant: `t2,<rev>,<op>\n<JSON>`
  KEYS[3] keys          hash     key id -> JSON of an API key
  KEYS[4] billing       hash     what its invoices are made of
  KEYS[5] erased        string   exists when the tenant was erased
  KEYS[6] generations   zset     generations besides the one that serves
  KEYS[7] mark          string   the restore that did it; has a TTL
  KEYS[8] requests      hash     request id -> JSON of a request for higher quotas

  ARGV[1] record                 of KEYS[2]
  ARGV[2] generation             the one that was loaded
  ARGV[3] mark                   of KEYS[7]
  ARGV[4] gateFields             how many values of `gate` follow
  ARGV[5] keyFields              how many of `keys`, after those
  ARGV[6] billingFields          how many of `billing`, after those
  ARGV[7..] fields               name and value of each field: of `gate`, `keys`, `billing`, and the rest of `requests`

  Returns { 1 } done; { 2 } it is there; { 3 } it was erased; { 4 } the generation is not loaded any more. But for the first nothing
  was changed.

  Cost: O(fields), at most 12 inner calls and one for each 1,000 values.
]]
if redis.call('EXISTS', KEYS[5]) == 1 then return { 3 } end
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return { 2 } end
if tonumber(redis.call('ZSCORE', KEYS[6], ARGV[2]) or -1) ~= 0 then return { 4 } end
local function put(key, first, last)
  for from = first, last, 1000 do redis.call('HSET', key, unpack(ARGV, from, math.min(from + 999, last))) end
end
local gateEnd = 6 + ARGV[4]
local keysEnd = gateEnd + ARGV[5]
local billingEnd = keysEnd + ARGV[6]
redis.call('DEL', KEYS[3], KEYS[4], KEYS[8])
put(KEYS[3], gateEnd + 1, keysEnd)
put(KEYS[4], keysEnd + 1, billingEnd)
put(KEYS[8], billingEnd + 1, #ARGV)
redis.call('ZREM', KEYS[6], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[7], ARGV[3] .. '0,0', 'PX', 604800000)
put(KEYS[1], 7, gateEnd)
return { 1 }
