--[[
  Meter work of earlier requests that no later one has carried: an instance that stops has none.

  Why a script: the counters are packed in one field; and the ends of minutes and periods that are met are kept in the step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] computeUs              microseconds of work not yet metered
  ARGV[2] accessUs               microseconds of accesses not yet metered

  Returns { 1 } metered; { 0, 0 } there is no such tenant any more.

  Cost: O(1). 3 inner calls.
]]
--- @include "includes/open-stock.lua"
local before, computeUs, accessUs = string.match(totals, '^(%d+,%d+,%d+,%d+),(%d+),(%d+)$')
totals = string.format('%s,%d,%d', before, computeUs + ARGV[1], accessUs + ARGV[2])
--- @include "includes/close-stock.lua"
return { 1 }
