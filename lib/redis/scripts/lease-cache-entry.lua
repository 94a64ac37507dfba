--[[
  Read one cache entry through the tenant's gate, and where it is missing, stale or soon to be, take the lease to load it.

  Why a script: of all who miss at once exactly one is told to load.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] entry         string   the entry: head line, metadata, payload
  KEYS[4] index         zset     the tenant's index
  KEYS[5] lease         string   the token of who loads the entry; has a TTL

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] want                   as of get-cache-entry
  ARGV[7] op                     id of this operation: the same again is a replay, and has the lease it was given
  ARGV[8] leaseMs                how long the lease lasts; 0 = only read
  ARGV[9] early                  share of its lifetime, in thousandths, after which a fresh entry is loaded anew; 0 = never
  ARGV[10] stale                 1 = an entry in its grace will do; without it that is a miss

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, found 1|0|2 unchanged|3 as the
  instance has it, entry text or head (empty when there is none), lease 0 not needed|1 granted|2 held by another, its token, ms it still lasts }, or a refusal of
  the gate. The token: seq of the tenant when it was granted, and op.

  Cost: O(bytes returned). As get-cache-entry; one more when a lease is granted, 3 when it is held by another.
]]
--- @include "includes/open-gate.lua"
local entry, index, leaseKey, want, stale = KEYS[3], KEYS[4], KEYS[5], ARGV[6], ARGV[10] == '1'
--- @include "includes/read-entry.lua"
local wanted = found == 0
if text and access then
  local freshUntil = fresh + 0
  if freshUntil == 0 then freshUntil = expires + 0 end
  wanted = freshUntil > 0 and freshUntil <= nowMs
  if not wanted and ARGV[9] ~= '0' and freshUntil > 0 then
    local updated = string.match(text, '^c2,%x+,%d+,%d+,%d+,%d+,%d+,%d+,(%d+),')
    wanted = (nowMs - updated) * 1000 >= (freshUntil - updated) * ARGV[9]
  end
end
local lease, token, lasts = 0, '', 0
if wanted and ARGV[8] ~= '0' then
  token = string.match(stock, '^%d+,%d+,%d+,(%d+),') .. '-' .. ARGV[7]
  lasts = tonumber(ARGV[8])
  lease = 1
  if not redis.call('SET', KEYS[5], token, 'NX', 'PX', ARGV[8]) then
    local holder = redis.call('GET', KEYS[5])
    lasts = redis.call('PTTL', KEYS[5])
    if holder and string.match(holder, '^%d+-(.*)$') == ARGV[7] then
      token = holder
    else
      lease, token = 2, ''
    end
  end
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, found, text or '', lease, token, lasts }
