--[[
  Set what a tenant may use of the memory that all tenants share, or lift that.

  Why a script: an invalidation made meanwhile, in the same field, must stay.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] share                  bytes; 0 = its quota alone holds

  Returns 1 it is so, 0 there is no such tenant.

  Cost: O(1). 2 inner calls.
]]
local limits, pending = unpack(redis.call('HMGET', KEYS[1], 'h', 'v'))
if not limits then return 0 end
pending = string.gsub(pending or 'v1,0,0,0,0,0', '%d+$', ARGV[1])
if pending == 'v1,0,0,0,0,0' then
  redis.call('HDEL', KEYS[1], 'v')
else
  redis.call('HSET', KEYS[1], 'v', pending)
end
return 1
