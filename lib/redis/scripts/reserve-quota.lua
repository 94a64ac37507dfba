--[[
  Reserve part of a quota before work of unknown size, or refuse and change nothing.

  Why a script: what is used, what is held and the limit are compared and the reservation is added in one step. Two callers
  that read, compare and write would both pass.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] resource               m memory, s storage, t transfer: bytes; o operations of this minute
  ARGV[7] amount                 integer >= 1; of operations this call is one of them
  ARGV[8] ttlMs                  after so long it is abandoned
  ARGV[9] id                     of the reservation: the same again is a replay, answered and not metered
  ARGV[10] maxOpen               reservations a tenant may have open at once

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, abandoned at (ms),
  limits, counters, held }; outcome 1 reserved, 2 replay; refused, nothing changed and nothing metered: 3 memory
  or storage is full, 4 too many are open; or a refusal of the gate.

  Cost: O(log n) of the open reservations. 6 inner calls; up to 10 when abandoned ones are freed first.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/holds.lua"
local resource, amount, field = ARGV[6], tonumber(ARGV[7]), 'q:' .. ARGV[9]
local expires = string.match(redis.call('HGET', KEYS[1], field) or '', '^q1,%a,%d+,(%d+),')
if expires then
  return { OK, level - OPERATION, minuteOps - 1, nowMs, opm, burst, own, 2, expires, gate[1], gate[2], gate[4] or '' }
end

local held = read_held(gate[4])
local freed = false
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[10]) then
  local count
  held, count = free_abandoned(KEYS[1], KEYS[2], gate[4], nowMs)
  freed = true
  if count == 0 then
    return { OK, level - OPERATION, minuteOps - 1, nowMs, opm, burst, own, 4, 0, gate[1], gate[2], write_held(held) }
  end
end

if resource == 'o' then
  if minuteOps - 1 + amount > opm + 0 then
    return { MINUTE_FULL, 60000 - nowMs % 60000, level - OPERATION, minuteOps - 1, nowMs, opm, burst }
  end
  minuteOps, ops = minuteOps - 1 + amount, ops - 1 + amount
else
  local used, limit = tonumber(transfer), tonumber(transferLimit)
  if resource ~= 't' then
    local left = read_stock(stock, nowMs)
    if resource == 'm' then
      used, limit = left.memory, tonumber(memoryLimit)
    else
      used, limit = left.storage, tonumber(storageLimit)
    end
  end
  if used + held[resource] + amount > limit and not freed then
    held = free_abandoned(KEYS[1], KEYS[2], gate[4], nowMs)
  end
  if used + held[resource] + amount > limit then
    if resource ~= 't' then
      return { OK, level - OPERATION, minuteOps - 1, nowMs, opm, burst, own, 3, 0, gate[1], gate[2], write_held(held) }
    end
    return {
      TRANSFER_FULL, periodEnd - nowMs, level - OPERATION, minuteOps - 1, nowMs, opm, burst, used + held.t, limit,
    }
  end
  held[resource] = held[resource] + amount
end

expires = string.format('%d', nowMs + ARGV[8])
redis.call('ZADD', KEYS[2], expires, string.format('%s,%s,%d', ARGV[9], resource, amount))
local heldText = write_held(held)
more = more or {}
more[#more + 1] = 'r'
more[#more + 1] = heldText
more[#more + 1] = field
more[#more + 1] = string.format('q1,%s,%d,%s,%s', resource, amount, expires, resource == 'o' and minute or '0')
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, 1, expires, gate[1], counters, heldText }
