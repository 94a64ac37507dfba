-- The gate every request of a tenant goes through: who calls, may they, is it within the limits. One HMGET before the
-- work and one HSET after it. Nothing is written before everything was checked.
--
-- Numbers are written with `%d`: whole and exact up to 2^53, which `..` and `tostring` are not, and twice as fast as `%.0f`.
--
-- The hash holds `h` (limits, written by administration), `m` (limiter state and counters, written here), `x` (context,
-- JSON) and one field `k:<sha256>` for each API key. Formats: lib/gate/gate-fields.ts.
local OK, KEY_UNKNOWN, KEY_EXPIRED, KEY_REVOKED, SCOPE_MISSING, SUSPENDED = 0, 1, 2, 3, 4, 5
local RATE_LIMITED, MINUTE_FULL, CONTEXT_OLD = 6, 7, 8
-- One operation in the limiter's unit: a millionth of a second's share of a rate per minute, so that all is integers.
local OPERATION = 60000000

-- What the caller is told of its limits: burst size, left of it, ms until it is whole; operations a minute, left of them,
-- ms until the next minute.
local function describe_limits(opm, burst, level, minuteOps, nowMs)
  return string.format(
    '%d,%d,%d,%d,%d,%d',
    burst, math.floor((burst * OPERATION - level) / OPERATION), opm > 0 and math.ceil(level / opm / 1000) or 0,
    opm, opm - minuteOps, 60000 - nowMs % 60000
  )
end

-- `admin` is a scope that no key has: asking for it tells whether a key is known, and meters nothing.
local function has_scope(scopes, wanted)
  if wanted == 'admin' then return false end
  if wanted == 'none' or string.find(scopes, ' ' .. wanted .. ' ', 1, true) or string.find(scopes, ' * ', 1, true) then
    return true
  end
  local area = string.match(wanted, '^[^:]+')
  return string.find(scopes, ' ' .. area .. ':* ', 1, true) ~= nil
end

-- Returns the admission, or nil and the reply that refuses. `key`, `scope` and `context` come from the caller.
local function open_gate(gate, key, scope, context, carriedUs)
  local fields
  if context == '' then
    fields = redis.call('HMGET', gate, 'h', 'm', 'k:' .. key, 'x')
  else
    fields = redis.call('HMGET', gate, 'h', 'm', 'k:' .. key)
  end
  if not fields[1] or not fields[3] then return nil, { KEY_UNKNOWN } end

  local keyId, keyExpires, keyState, scopes = string.match(fields[3], '^k1,([^,]*),(%d+),(%a),(.*)$')
  if keyState == 'r' then return nil, { KEY_REVOKED } end
  local time
  if keyExpires ~= '0' then
    time = redis.call('TIME')
    if tonumber(keyExpires) <= time[1] * 1000 + math.floor(time[2] / 1000) then return nil, { KEY_EXPIRED } end
  end
  local status, version, opm, burst, memoryLimit = string.match(fields[1], '^h1,(%a+),(%d+),%d+,(%d+),(%d+),(%d+)')
  if status ~= 'active' then return nil, { SUSPENDED, status } end
  if not has_scope(scopes, scope) then return nil, { SCOPE_MISSING, scope } end
  if version ~= context then
    return nil, { CONTEXT_OLD, version, fields[4] or redis.call('HGET', gate, 'x') }
  end

  time = time or redis.call('TIME')
  local nowUs = time[1] * 1000000 + time[2]
  local nowMs = math.floor(nowUs / 1000)

  local level, at, minute, minuteOps, ops, hits, misses, bytesIn, bytesOut, stock, computeUs = string.match(
    fields[2],
    '^m1,(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+,%d+,%d+),(%d+)$'
  )
  opm, burst = tonumber(opm), tonumber(burst)

  -- The rate: the continuous-state form of GCRA. The level drains by `opm` a microsecond and may reach `burst` operations.
  local elapsed = nowUs - at
  level = tonumber(level)
  if elapsed > 0 then
    level = level - elapsed * opm
    if level < 0 then level = 0 end
  end
  local thisMinute = math.floor(nowMs / 60000)
  minuteOps = tonumber(minute) == thisMinute and tonumber(minuteOps) or 0
  if minuteOps + 1 > opm then
    return nil, { MINUTE_FULL, 60000 - nowMs % 60000, describe_limits(opm, burst, level, minuteOps, nowMs) }
  end
  local excess = level + OPERATION - burst * OPERATION
  if excess > 0 then
    return nil, { RATE_LIMITED, math.ceil(excess / opm / 1000), describe_limits(opm, burst, level, minuteOps, nowMs) }
  end

  -- Counters stay text until something is added to them: most requests add to few.
  return {
    nowMs = nowMs, keyId = keyId, scopes = scopes, opm = opm, burst = burst,
    level = level + OPERATION, at = nowUs, minute = thisMinute, minuteOps = minuteOps + 1,
    ops = ops + 1, hits = hits, misses = misses, bytesIn = bytesIn, bytesOut = bytesOut,
    stock = stock, memoryLimit = memoryLimit, computeUs = computeUs + carriedUs,
  }
end

-- Gives the admission `memory`, `entries` and `seq`, for scripts that change what is stored.
local function count_stock(a)
  if a.memory then return end
  local memory, entries, seq = string.match(a.stock, '^(%d+),(%d+),(%d+)$')
  a.memory, a.entries, a.seq = tonumber(memory), tonumber(entries), tonumber(seq)
end

local function admission(a) return describe_limits(a.opm, a.burst, a.level, a.minuteOps, a.nowMs) end

-- Meters the operation: the last write of every request; a field of the script's own may go with it. Returns the counters
-- as they stand in the hash.
local function close_gate(gate, a, field, value)
  if a.memory then a.stock = string.format('%d,%d,%d', a.memory, a.entries, a.seq) end
  local counters = string.format(
    'm1,%d,%d,%d,%d,%d,%d,%d,%d,%d,%s,%d',
    a.level, a.at, a.minute, a.minuteOps, a.ops, a.hits, a.misses, a.bytesIn, a.bytesOut, a.stock, a.computeUs
  )
  if field then
    redis.call('HSET', gate, 'm', counters, field, value)
  else
    redis.call('HSET', gate, 'm', counters)
  end
  return counters
end
