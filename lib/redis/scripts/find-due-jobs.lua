--[[
  Find the jobs that may be run now, and the ended ones whose time is over.

  Why a script: both are decided by Redis' clock, which also gives the leases.

  KEYS[1] due           zset     ids of jobs to run, by Unix ms
  KEYS[2] ended         zset     ids of ended jobs, by when they ended, Unix ms

  ARGV[1] limit                  ids of each at most
  ARGV[2] keptMs                 how long an ended job is kept
  ARGV[3] maxEnded               ended jobs kept; of more, the oldest go

  Returns { ids due, longest first; ids to remove }.

  Cost: O(log n + limit), 4 inner calls, 5 when too many have ended.
]]
--- @include "includes/job.lua"
local now = now_ms()
local due = redis.call('ZRANGE', KEYS[1], '-inf', string.format('%d', now), 'BYSCORE', 'LIMIT', 0, ARGV[1])
local before = string.format('%d', now - tonumber(ARGV[2]))
local over = redis.call('ZRANGE', KEYS[2], '-inf', before, 'BYSCORE', 'LIMIT', 0, ARGV[1])
local tooMany = math.min(redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3]), tonumber(ARGV[1]))
if tooMany > #over then over = redis.call('ZRANGE', KEYS[2], 0, tooMany - 1) end
return { due, over }
