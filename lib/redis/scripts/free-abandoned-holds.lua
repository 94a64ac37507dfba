--[[
  Free reservations that nobody settled in time.

  Why a script: a reservation that is settled meanwhile is taken from what is held once, not twice.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations

  Returns { freed }: 500 at most; call again while there were as many.

  Cost: O(freed * log n). 6 inner calls; 3 when there is nothing to free, 1 when there is no such tenant.
]]
--- @include "includes/holds.lua"
local gate = redis.call('HMGET', KEYS[1], 'h', 'r')
if not gate[1] then return { 0 } end
local time = redis.call('TIME')
local _, freed = free_abandoned(KEYS[1], KEYS[2], gate[2], time[1] * 1000 + math.floor(time[2] / 1000))
return { freed }
