--[[
  List cache entries of one namespace through the tenant's gate: one page of their keys, in order of their bytes.

  Why a script: the key, the limits and their metering are one step with the look at the index.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] namespace
  ARGV[7] prefix                 what the keys begin with, as they stand in the index; may be empty
  ARGV[8] after                  the last key of the page before, as it stands in the index; empty = from the beginning
  ARGV[9] limit                  keys a page may have

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, keys as they stand in the index, also
  of entries that have expired or are invalidated }, or a refusal of the gate.

  Cost: O(log n) of the index and O(limit). 4 inner calls.
]]
--- @include "includes/open-gate.lua"
local first = 'k\0c\0' .. ARGV[6] .. '\0'
local last = ARGV[7] == '' and 'k\0c\0' .. ARGV[6] .. '\1' or first .. ARGV[7] .. '\255'
local from = ARGV[8] == '' and '[' .. first .. ARGV[7] or '(' .. first .. ARGV[8]
local listed = redis.call('ZRANGE', KEYS[2], from, '(' .. last, 'BYLEX', 'LIMIT', 0, ARGV[9])
for i, member in ipairs(listed) do listed[i] = string.sub(member, #first + 1) end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, unpack(listed) }
