-- The gate every request of a tenant goes through: who calls, may they, is it within the limits. One HMGET before the
-- work and one HSET after it (close-gate.lua). Nothing is written before everything was checked.
--
-- The hash holds `h` (limits, written by administration), `m` (limiter state and counters, written here), `r` (what is
-- reserved), `x` (context, JSON), `v` (invalidations not reclaimed: epochs.lua), one field `k:<sha256>` for each API key, and `l:…` for limits of a key or a route of
-- their own. Formats: lib/gate/gate-fields.ts.
--
-- This is no function: an include is text put in its place, so this one runs where it stands, leaves what it learned in
-- locals of the script, and returns from it to refuse. Functions that shared those locals, or a table of them, would take
-- a quarter of the script's time. Every script that has it has the gate as KEYS[1], and keyField, scope, context, carriedUs
-- and route as its first arguments.
local OK, KEY_UNKNOWN, KEY_EXPIRED, KEY_REVOKED, SCOPE_MISSING, SUSPENDED = 0, 1, 2, 3, 4, 5
local RATE_LIMITED, MINUTE_FULL, CONTEXT_OLD, OWN_LIMITED, TRANSFER_FULL = 6, 7, 8, 9, 10
-- One operation in the limiter's unit: a millionth of a second's share of a rate per minute, so that all is integers.
local OPERATION = 60000000

local gate
local ownField, routeField = 'l' .. string.sub(ARGV[1], 2), 'l:' .. ARGV[5]
if ARGV[3] == '' then
  gate = redis.call('HMGET', KEYS[1], 'h', 'm', ARGV[1], 'r', ownField, routeField, 'v', 'x')
else
  gate = redis.call('HMGET', KEYS[1], 'h', 'm', ARGV[1], 'r', ownField, routeField, 'v')
end
if not gate[1] or not gate[3] then return { KEY_UNKNOWN } end

local keyExpires, keyState, scopes = string.match(gate[3], '^k[12],[^,]*,(%d+),(%a),(.*)$')
if keyState == 'r' then return { KEY_REVOKED } end
local time
if keyExpires ~= '0' then
  time = redis.call('TIME')
  if tonumber(keyExpires) <= time[1] * 1000 + math.floor(time[2] / 1000) then return { KEY_EXPIRED } end
end
local status, version, generation, opm, burst, memoryLimit, storageLimit, transferLimit =
  string.match(gate[1], '^h1,(%a+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+)$')
if status ~= 'active' then return { SUSPENDED, status } end
-- A scope stands between spaces. Empty: any key will do. ` admin ` is one that no key has: asking for it tells whether a
-- key is known, and meters nothing.
local scope = ARGV[2]
if not string.find(scopes, scope, 1, true) and (scope == ' admin ' or not string.find(scopes, ' * ', 1, true)) then
  local area = string.match(scope, '^[^:]+') .. ':* '
  if not string.find(scopes, area, 1, true) then return { SCOPE_MISSING } end
end
if version ~= ARGV[3] then
  return { CONTEXT_OLD, version, generation, gate[8] or redis.call('HGET', KEYS[1], 'x') }
end

time = time or redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local nowMs = math.floor(nowUs / 1000)
-- Counters stay text until something is added to them. `stock`: those that only some requests change (stock.lua).
local COUNTERS = '^m5,(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(.*)$'
local level, levelAt, minute, minuteOps, periodEnd, transfer, ops, hits, misses, bytesOut, computeUs, accessUs, stock =
  string.match(gate[2], COUNTERS)
local thisMinute = math.floor(nowMs / 60000)
-- Fields to write beside the counters: name, value, name, value, …
local more
if not level or minute + 0 ~= thisMinute then
--- @include "roll-over.lua"
  if not level then
    gate[2] = counters_of_before(gate[2], nowMs)
    level, levelAt, minute, minuteOps, periodEnd, transfer, ops, hits, misses, bytesOut, computeUs, accessUs, stock =
      string.match(gate[2], COUNTERS)
  end
  if minute + 0 ~= thisMinute then
    more, periodEnd, transfer = roll_over(gate[2], minute, thisMinute, periodEnd, transfer, nowMs)
    minute, minuteOps = string.format('%d', thisMinute), 0
  end
end
-- The rate: the continuous-state form of GCRA. The level drains by `opm` a microsecond and may reach `burst` operations: a
-- bucket that was made smaller is full, never more than full, or its new rate would keep callers out for hours.
local elapsed, capacity = nowUs - levelAt, burst * OPERATION
level = level + 0
if level > capacity then level = capacity end
if elapsed > 0 then level = level - elapsed * opm end
if level < 0 then level = 0 end
if minuteOps + 1 > opm + 0 then
  return { MINUTE_FULL, 60000 - nowMs % 60000, level, tonumber(minuteOps), nowMs, opm, burst }
end
if level + OPERATION > capacity then
  local waitMs = math.ceil((level + OPERATION - capacity) / opm / 1000)
  return { RATE_LIMITED, waitMs, level, tonumber(minuteOps), nowMs, opm, burst }
end
-- What is left of limits of the key's and the route's own: `<key|route>,<level>,<operations a minute>,<burst>;` of each.
local own = ''
for i = 5, 6 do
  if gate[i] then
    local ownOpm, ownBurst, ownLevel, ownAt = string.match(gate[i], '^l1,(%d+),(%d+),(%d+),(%d+)$')
    ownLevel = math.min(ownLevel, ownBurst * OPERATION)
    ownLevel = math.max(0, ownLevel - math.max(0, nowUs - ownAt) * ownOpm)
    local over = ownLevel + OPERATION - ownBurst * OPERATION
    local name = i == 5 and 'key' or 'route'
    if over > 0 then
      own = string.format('%s,%d,%s,%s;', name, ownLevel, ownOpm, ownBurst)
      return { OWN_LIMITED, math.ceil(over / ownOpm / 1000), level, tonumber(minuteOps), nowMs, opm, burst, own }
    end
    ownLevel = ownLevel + OPERATION
    own = own .. string.format('%s,%d,%s,%s;', name, ownLevel, ownOpm, ownBurst)
    more = more or {}
    more[#more + 1] = i == 5 and ownField or routeField
    more[#more + 1] = string.format('l1,%s,%s,%d,%d', ownOpm, ownBurst, ownLevel, nowUs)
  end
end
level, minuteOps = level + OPERATION, minuteOps + 1
if ARGV[4] ~= '0' then
  local carriedUs, carriedAccessUs = string.match(ARGV[4], '^(%d+),?(%d*)$')
  computeUs = string.format('%d', computeUs + carriedUs)
  if carriedAccessUs ~= '' then accessUs = string.format('%d', accessUs + carriedAccessUs) end
end
-- When a key was used last is kept to the minute.
if string.match(scopes, '^(%d*)') ~= minute then
  more = more or {}
  more[#more + 1] = ARGV[1]
  more[#more + 1] = string.gsub(gate[3], '^k[12],([^,]*,%d+,%a),%d*,?', 'k2,%1,' .. minute .. ',')
end
