--[[
  Give back bytes that were committed: what they stood for is gone.

  Why a script: no more is given back than was committed, whoever else gives back at the same time.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] resource               m memory, s storage
  ARGV[7] amount                 integer >= 1
  ARGV[8] op                     id of this operation: the same again is a replay, answered and not metered

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, committed before, limits,
  counters, held }; outcome r: given back; x: less is committed, nothing changed but the metering; or a refusal of the gate.

  Cost: O(1), 4 inner calls.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/holds.lua"
local amount, op = tonumber(ARGV[7]), ARGV[8]
local recent = redis.call('HGET', KEYS[1], 'd') or ''
local outcome, before
local at = string.find(recent, op .. '=', 1, true)
if at then outcome, before = string.match(recent, '^(%a)(%d+);', at + #op + 1) end
if outcome then
  return {
    OK, level - OPERATION, minuteOps - 1, nowMs, opm, burst, own, outcome, before, gate[1], gate[2], gate[4] or '',
  }
end

local held = read_held(gate[4])
local committed = ARGV[6] == 'm' and 'committedM' or 'committedS'
before = string.format('%d', held[committed])
outcome = 'x'
more = more or {}
if amount <= held[committed] then
  outcome = 'r'
  held[committed] = held[committed] - amount
  local left = read_stock(stock, nowMs)
  if ARGV[6] == 'm' then
    left.memory = math.max(0, left.memory - amount)
  else
    left.storage = math.max(0, left.storage - amount)
  end
  stock = write_stock(left)
  more[#more + 1] = 'r'
  more[#more + 1] = write_held(held)
end
more[#more + 1] = 'd'
more[#more + 1] = string.sub(op .. '=' .. outcome .. before .. ';' .. recent, 1, 1728)
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, before, gate[1], counters, write_held(held) }
