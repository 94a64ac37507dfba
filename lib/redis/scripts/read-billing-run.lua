--[[
  Read how far the closing of invoices has come.

  Why a script: Redis' own time decides that a month has ended, and it is read together with what was closed.

  KEYS[1] closed        string   the last month whose invoices are closed, as 2026-11
  KEYS[2] behind        set      ids of tenants that month could not be closed for

  Returns { now (Unix ms), closed, ids of `behind` }.

  Cost: O(tenants behind), 3 inner calls.
]]
local time = redis.call('TIME')
local nowMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
return { nowMs, redis.call('GET', KEYS[1]), redis.call('SMEMBERS', KEYS[2]) }
