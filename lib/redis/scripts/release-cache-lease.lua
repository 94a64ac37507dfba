--[[
  Give the lease to load a cache entry back, so that the next who asks is granted it at once.

  Why a script: only its holder may; a lease that was granted to somebody else since stays.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] lease         string   the token of who loads the entry; has a TTL

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] token                  of the lease

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, 1 given back|0 it was not held }, or a
  refusal of the gate.

  Cost: O(1). 5 inner calls; 4 when it is not held.
]]
--- @include "includes/open-gate.lua"
local outcome = 0
if redis.call('GET', KEYS[2]) == ARGV[6] then outcome = redis.call('DEL', KEYS[2]) end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome }
