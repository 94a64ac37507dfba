--[[
  Ask the tenant's gate whether a call would be let in; nothing is changed or metered.

  Why a script: it is the same gate as of every other request, in the same order.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              not metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits }, or a refusal of the gate.

  Cost: O(1), 2 inner calls.
]]
--- @include "includes/open-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own }
