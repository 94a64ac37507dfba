-- The counters of a tenant, for a script that changes its stock outside a request: by a schedule. Runs where it stands and
-- leaves `nowMs`, `left` (the stock, to be changed) and what close-stock.lua writes; returns when there is no such tenant, or
-- when its records are of another generation by now than the index in KEYS: what is done to those is nobody's.
-- What has ended by now is kept first, as a request would: else this change would count to the time before.
--- @include "stock.lua"
--- @include "roll-over.lua"
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local gateFields = redis.call('HMGET', KEYS[1], 'm', 'h')
local stored = gateFields[1]
if not stored then return { 0, 0 } end
for i = 2, #KEYS do
  local generation = string.match(KEYS[i], '}:g(%d+):')
  if generation then
    if generation ~= '0' and generation ~= string.match(gateFields[2] or '', '^h1,%a+,%d+,(%d+),') then return { 0, 0 } end
    break
  end
end
local COUNTERS = '^(m5,%d+,%d+),(%d+),(%d+),(%d+),(%d+),(%d+,%d+,%d+,%d+,%d+,%d+),(.*)$'
local limiter, minute, minuteOps, periodEnd, transfer, totals, stock = string.match(stored, COUNTERS)
if not limiter then
  stored = counters_of_before(stored, nowMs)
  limiter, minute, minuteOps, periodEnd, transfer, totals, stock = string.match(stored, COUNTERS)
end
if not limiter then return { 0, 0 } end
local thisMinute = math.floor(nowMs / 60000)
local more
if minute + 0 < thisMinute then
  more, periodEnd, transfer = roll_over(stored, minute, thisMinute, periodEnd, transfer, nowMs)
  minute, minuteOps = string.format('%d', thisMinute), 0
end
local left = read_stock(stock, nowMs)
