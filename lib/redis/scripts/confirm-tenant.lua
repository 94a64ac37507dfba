--[[
  Turn a reservation into a tenant, or give the place back.

  Why a script: a place is never counted twice and never lost between the two sets.

  KEYS[1] tenants       zset     ids of the tenants that exist
  KEYS[2] reservations  hash     id -> Unix ms of a creation under way

  ARGV[1] id                     the tenant's id
  ARGV[2] exists                 1 its record is written; 0 it is not, and the place is given back

  Returns { 1 }.

  Cost: O(log tenants), 2 inner calls.
]]
if ARGV[2] == '1' then redis.call('ZADD', KEYS[1], 0, ARGV[1]) end
redis.call('HDEL', KEYS[2], ARGV[1])
return { 1 }
