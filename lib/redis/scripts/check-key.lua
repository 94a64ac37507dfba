--[[
  Open the tenant's gate and do nothing else: who calls, and what is left to them.

  Why a script: it is the same gate, with the same limits and metering, as every other request.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, key id, scopes, limits, counters,
  reservations }, or a refusal of the gate.

  Cost: O(1), 3 inner calls.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/close-gate.lua"
local keyId, keyScopes = string.match(gate[3], '^k[12],([^,]*),%d+,%a,(.*)$')
return { OK, level, minuteOps, nowMs, opm, burst, own, keyId, keyScopes, gate[1], counters, gate[4] or '' }
