--[[
  Set the share of the session memory that a tenant's gate holds its hot sessions to.

  Why a script: of two that come at once, or late, the one of the newer epoch must stay.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] share                  bytes
  ARGV[2] epoch                  when the pool granted it, or began to lower it to this

  Returns { 1 it holds|0 a newer one holds|2 there is no such tenant, bytes of hot sessions, share that holds, its epoch }.

  Cost: O(1). 3 inner calls.
]]
--- @include "includes/session-share.lua"
local limits, counters = unpack(redis.call('HMGET', KEYS[1], 'h', 'm'))
if not limits then return { 2, 0, 0, 0 } end
local hot = string.match(counters or '', '^m5,.*,(%d+),%d+,%d+,%d+,%d+,%d+$')
  or string.match(counters or '', '^m4,.*,(%d+),%d+,%d+$') or '0'
local share, epoch = session_share(KEYS[1])
if tonumber(ARGV[2]) > epoch then
  share, epoch = tonumber(ARGV[1]), tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], 'b', string.format('b1,%d,%d', share, epoch))
end
local holds = epoch == tonumber(ARGV[2]) and share == tonumber(ARGV[1])
return { holds and 1 or 0, hot, string.format('%d', share), epoch }
