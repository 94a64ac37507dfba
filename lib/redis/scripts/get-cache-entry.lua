--[[
  Read one cache entry through the tenant's gate.

  Why a script: the key, the limits, the read and its metering are one step, so what is enforced is what is billed.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] entry         string   the entry: head line, metadata, payload
  KEYS[4] index         zset     the tenant's index
  KEYS[5] lease         string   the token of who loads the entry, perhaps since before it was written; has a TTL

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] want                   empty = the value; meta = all but the value; digests the caller has, comma separated, or *
                                 for any = the value, unless it is one of these; =digest = what the instance has: the caller is
                                 served the value from there, and it is metered
  ARGV[7] stale                  1 = an entry in its grace will do

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, found 1|0|2 unchanged|3 as the
  instance has it, entry text or head }, or a refusal of the gate.

  Cost: O(bytes returned). 4 inner calls, one more while something is invalidated and not reclaimed; 6 when the entry is found
  expired, 7 or 8 when it was written within a minute; 3 more when its recency moves.
]]
--- @include "includes/open-gate.lua"
local entry, index, leaseKey, want, stale = KEYS[3], KEYS[4], KEYS[5], ARGV[6], ARGV[7] == '1'
--- @include "includes/read-entry.lua"
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, found, text }
