--[[
  Check a limit of one of the tenant's own users through the tenant's gate, and count the cost when it fits.

  Why a script: reading what was used, deciding and counting must be one step, or two callers both pass the limit.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] limit         string   the state of the limit for one identifier
  KEYS[4] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] algorithm              f fixed window, b token bucket
  ARGV[7] limit                  1 to 1,000,000
  ARGV[8] windowMs               1 to 2,592,000,000
  ARGV[9] cost                   0 to limit; 0 = only look, and say whether 1 would fit
  ARGV[10] op                    id of this check, 16 hex digits: the same again is a replay, answered and not counted

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, allowed 1|0, remaining,
  reset ms, retry after ms or 0 }; outcome 1 decided, 4 replay; 5 memory is full, nothing changed and nothing metered: then
  used, held, what is needed and the limit follow, in bytes; or a refusal of the gate.

  Cost: O(1). 5 inner calls; 6 for a new identifier, 4 when it only looks.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/record.lua"
--- @include "includes/limit-state.lua"
--- @include "includes/holds.lua"
local record, algorithm, op = KEYS[3], ARGV[6], ARGV[10]
local limit, window, cost = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local text = redis.call('GET', record)
local state = text and read_limit(text, nowMs)
local replayed = state and cost > 0 and string.match(state.ops, op .. '([ad])')

local used, since, reset = usage_at(state, algorithm, window, nowMs)
local one = algorithm == 'b' and window or 1
local full = limit * one
local allowed = used + math.max(1, cost) * one <= full
if replayed then
  allowed = replayed == 'a'
elseif cost > 0 then
  -- A refused check leaves state and terms as they were, and is remembered all the same.
  local after = state
  if allowed then
    used = used + cost * one
    after = { algorithm = algorithm, limit = limit, window = window, used = used, since = since }
    after.expires = since + (algorithm == 'f' and window or math.ceil(used / limit))
    reset = after.expires
  end
  after.indexed = state and state.indexed or indexed_expiry(after.expires, nowMs)
  after.ops = string.sub(op .. (allowed and 'a' or 'd') .. (state and state.ops or string.rep('-', OPS_BYTES)), 1, OPS_BYTES)
  local written = write_limit(after)
  if not state then
    local left = read_stock(stock, nowMs)
    -- What cannot be read is replaced; its bytes were counted.
    local before = text and #record + #text + ENTRY_OVERHEAD_BYTES or 0
    local grown = left.memory + #record + #written + ENTRY_OVERHEAD_BYTES - before
--- @include "includes/check-memory.lua"
    local member = key_member(record)
    redis.call('ZADD', KEYS[4], 0, member, 0, expiry_member(after.indexed, member))
    left.kept = left.kept + grown - left.memory
    left.memory = grown
    stock = write_stock(left)
  end
  redis.call('SET', record, written)
end

local retry = allowed and 0 or wait_for(state, limit - math.max(1, cost), nowMs, reset)
local remaining = math.max(0, math.floor((full - used) / one))
if replayed then return { OK, level, minuteOps, nowMs, opm, burst, own, 4, allowed and 1 or 0, remaining, reset, retry } end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, 1, allowed and 1 or 0, remaining, reset, retry }
