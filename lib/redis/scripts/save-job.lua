--[[
  Keep what a step of a job has come to: it goes on, waits, or has ended.

  Why a script: only the holder of the last lease may save, and a job that was cancelled meanwhile stays so. Compared and
  written in one step.

  KEYS[1] job           string   the job (includes/job.lua)
  KEYS[2] due           zset     ids of jobs to run, by Unix ms
  KEYS[3] index         zset     jobs by tenant and status
  KEYS[4] ended         zset     ids of ended jobs, by when they ended, Unix ms

  ARGV[1] id                     of the job
  ARGV[2] fence                  of the claim that ran the step
  ARGV[3] status                 running, done or failed
  ARGV[4] delayMs                of running: ms until it is due, a new lease or a wait
  ARGV[5] attempts               tries that have come to nothing since the last saved step
  ARGV[6] json                   what the job is now

  Returns { 1, job } saved, also when it was before; { 0 } it is somebody else's, has ended, or is gone: nothing was changed.

  Cost: O(log n) of the jobs kept. At most 8 inner calls.
]]
--- @include "includes/job.lua"
local id, status = ARGV[1], ARGV[3]
local stored = redis.call('GET', KEYS[1])
local job = read_job(stored)
if not job or job.fence ~= tonumber(ARGV[2]) then return { 0 } end
if job.ended > 0 then
  if job.status == status and job.json == ARGV[6] then return { 1, stored } end
  return { 0 }
end

local now = now_ms()
if status == 'running' then
  redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[4])), id)
else
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZADD', KEYS[4], string.format('%d', now), id)
  relist_job(KEYS[3], id, job.tenant, job.status, status)
  job.ended = now
end
job.status, job.attempts, job.json = status, tonumber(ARGV[5]), ARGV[6]
job.updated = now
local text = job_text(job)
redis.call('SET', KEYS[1], text)
return { 1, text }
