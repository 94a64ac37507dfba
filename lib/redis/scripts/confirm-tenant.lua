--[[
  Turn a reservation into a tenant that is listed, or give the place back.

  Why a script: a place is never counted twice and never lost between the two sets; a tenant that exists is in the list and
  in the audit log.

  KEYS[1] tenants       zset     ids of the tenants that exist
  KEYS[2] reservations  hash     id -> `<Unix ms>,<entry id>,<audit entry, JSON>` of a creation under way
  KEYS[3] index         zset     the tenants by plan and status
  KEYS[4] summary       hash     id -> `<rev>\t<plan>\t<status>\t<search text>`
  KEYS[5] pending       list     audit entries to be sealed
  KEYS[6] seen          zset     ids of the last audit entries

  ARGV[1] id                     the tenant's id
  ARGV[2] rev                    revision of its record; empty = it is not written, and the place is given back
  ARGV[3] plan                   as in the record
  ARGV[4] status                 as in the record
  ARGV[5] text                   what a search looks at, in lower case

  Returns { 1 }. Once more, it changes nothing.

  Cost: O(log tenants), at most 12 inner calls.
]]
--- @include "includes/push-audit.lua"
--- @include "includes/list-tenant.lua"
if ARGV[2] ~= '' then
  local reserved = redis.call('HGET', KEYS[2], ARGV[1])
  local entryId, entry = string.match(reserved or '', '^%d+,([^,]+),(.*)$')
  redis.call('ZADD', KEYS[1], 0, ARGV[1])
  list_tenant(KEYS[3], KEYS[4], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
  if entryId then push_audit(KEYS[5], KEYS[6], entryId, entry) end
end
redis.call('HDEL', KEYS[2], ARGV[1])
return { 1 }
