--[[
  Tell the deployment of a change of a tenant: the audit log, and the list of tenants.

  Why a script: the list's index and its summary agree, and an older state never takes the place of a newer one.

  KEYS[1] tenants       zset     ids of the tenants that exist
  KEYS[2] index         zset     the tenants by plan and status
  KEYS[3] summary       hash     id -> `<rev>\t<plan>\t<status>\t<search text>`
  KEYS[4] pending       list     audit entries to be sealed
  KEYS[5] seen          zset     ids of the last audit entries

  ARGV[1] id                     the tenant's id
  ARGV[2] rev                    the record's revision; empty = there is no record any more, only entries
  ARGV[3] plan                   as in the record
  ARGV[4] status                 as in the record
  ARGV[5] text                   what a search looks at, in lower case
  ARGV[6..] entries              id and JSON of each audit entry, oldest first

  Returns { 1 }. Once more, it changes nothing.

  Cost: O(log tenants), at most 5 inner calls, and 5 for each entry.
]]
--- @include "includes/push-audit.lua"
--- @include "includes/list-tenant.lua"
for i = 6, #ARGV, 2 do push_audit(KEYS[4], KEYS[5], ARGV[i], ARGV[i + 1]) end
-- A tenant that is not, or no longer, among those that exist is not listed by a late call.
if ARGV[2] ~= '' and redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  list_tenant(KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
end
return { 1 }
