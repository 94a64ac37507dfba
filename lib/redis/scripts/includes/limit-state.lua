-- The state of one limit of a tenant's own users: a string of fixed width, so that its charge never changes.
--   l1,<f|b>,<limit>,<window ms>,<used>,<since ms>,<indexed under ms>,<op><a|d>… (the last 8 checks, newest first)
-- f  fixed window: `used` is counted in the window that began at `since`.
-- b  token bucket: `used` is its level at `since`. A token is `window` units, and `limit` units a millisecond drain: all is
--    whole. The fullest bucket is 1,000,000 * 30 days = 2.6 * 10^15 units, below 2^53.
-- Limits are bounded by lib/rate-limiter/limit-rules.ts.
local LIMIT_FORMAT = 'l1,%s,%07d,%010d,%016d,%014d,%014d,%s'
local OPS_BYTES = 136
-- A record is listed under an expiry no sooner than this, so that short windows do not move in the index all the time.
local INDEXED_AHEAD_MS = 60000

-- The state a record holds, or nil. `expires`: from then on it is as good as none.
local function read_limit(text, nowMs)
  local algorithm, limit, window, used, since, indexed, ops =
    string.match(text, '^l1,([fb]),(%d+),(%d+),(%d+),(%d+),(%d+),([%x%-]+)$')
  if not algorithm or #ops ~= OPS_BYTES then return nil end
  local state = {
    algorithm = algorithm, limit = tonumber(limit), window = tonumber(window), used = tonumber(used),
    since = tonumber(since), indexed = tonumber(indexed), ops = ops,
  }
  state.expires = state.since + (algorithm == 'f' and state.window or math.ceil(state.used / state.limit))
  state.gone = state.expires <= nowMs
  return state
end

local function write_limit(state)
  return string.format(
    LIMIT_FORMAT, state.algorithm, state.limit, state.window, state.used, state.since, state.indexed, state.ops
  )
end

-- Under which expiry a state is to be listed that expires at `expires`.
local function indexed_expiry(expires, nowMs)
  return math.max(expires, nowMs + INDEXED_AHEAD_MS)
end

-- A clock set back drains nothing, until it is again what it was.
local function level_at(state, nowMs)
  return math.max(0, state.used - math.max(0, nowMs - state.since) * state.limit)
end

-- How much is used at `nowMs` in the units of the terms asked for, since when, and when nothing will be used any more.
-- What was used counts on when the terms change: a bucket drains by its old terms up to now, and a part of a token then
-- counts as a whole one; a window keeps its beginning, and ends by the shorter of the old and the new length.
local function usage_at(state, algorithm, window, nowMs)
  if not state then return 0, nowMs, nowMs end
  if state.algorithm == 'f' then
    local ends = state.since + math.min(state.window, window)
    if nowMs >= ends then return 0, nowMs, nowMs end
    if algorithm == 'f' then return state.used, state.since, ends end
    return state.used * window, nowMs, ends
  end
  local level = level_at(state, nowMs)
  local empty = math.max(nowMs, state.since) + math.ceil(level / state.limit)
  if algorithm == 'b' and window == state.window then return level, nowMs, empty end
  local tokens = math.ceil(level / state.window)
  return algorithm == 'b' and tokens * window or tokens, nowMs, empty
end

-- How long until no more than `room` is used, if nothing is counted meanwhile, ms: the state keeps its own terms.
local function wait_for(state, room, nowMs, ends)
  if state.algorithm == 'f' then return math.max(1, ends - nowMs) end
  local over = level_at(state, nowMs) - room * state.window
  return math.max(1, math.ceil(over / state.limit) + math.max(0, state.since - nowMs))
end
