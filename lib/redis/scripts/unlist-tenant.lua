--[[
  Take an erased tenant off the lists of the deployment; its place is free again.

  Why a script: the list's index and its summary agree, and the count of tenants with them.

  KEYS[1] tenants       zset     ids of the tenants that exist
  KEYS[2] index         zset     the tenants by plan and status
  KEYS[3] summary       hash     id -> `<rev>\t<plan>\t<status>\t<search text>`
  KEYS[4] refusals      hash     `<id>,<resource>` -> Unix ms
  KEYS[5] behind        set      ids of tenants whose invoices are not closed

  ARGV[1] id                     the tenant's id

  Returns { 1 }. Once more, it changes nothing.

  Cost: O(log tenants), 6 inner calls.
]]
--- @include "includes/list-tenant.lua"
local old = redis.call('HGET', KEYS[3], ARGV[1])
if old then
  local plan, status = string.match(old, '^%d+\t([^\t]*)\t([^\t]*)\t')
  redis.call('ZREM', KEYS[2], list_members(ARGV[1], plan, status))
  redis.call('HDEL', KEYS[3], ARGV[1])
end
redis.call('ZREM', KEYS[1], ARGV[1])
for _, resource in ipairs({ 'memory_bytes', 'storage_bytes', 'operations_per_minute', 'data_transfer_bytes' }) do
  redis.call('HDEL', KEYS[4], ARGV[1] .. ',' .. resource)
end
redis.call('SREM', KEYS[5], ARGV[1])
return { 1 }
