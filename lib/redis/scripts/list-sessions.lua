--[[
  List sessions of one user through the tenant's gate: one page, in the order they were created.

  Why a script: the key, the limits and their metering are one step with the look at the index.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] user                   whose, escaped; empty = nobody's
  ARGV[7] after                  the last ULID of the page before; empty = from the beginning
  ARGV[8] limit                  sessions a page may have

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, ULIDs, also of sessions that have
  expired }, or a refusal of the gate.

  Cost: O(log n) of the index and O(limit). 4 inner calls.
]]
--- @include "includes/open-gate.lua"
local first = 'k\0s\0' .. ARGV[6] .. '\0'
local from = ARGV[7] == '' and '[' .. first or '(' .. first .. ARGV[7]
local listed = redis.call('ZRANGE', KEYS[2], from, '(k\0s\0' .. ARGV[6] .. '\1', 'BYLEX', 'LIMIT', 0, ARGV[8])
for i, member in ipairs(listed) do listed[i] = string.sub(member, -26) end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, unpack(listed) }
