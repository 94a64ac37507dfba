--[[
  Take a job to run it, for as long as a lease.

  Why a script: of two that find the same job, one gets it; what the holder of an earlier lease still saves is refused from
  here on.

  KEYS[1] job           string   the job (includes/job.lua)
  KEYS[2] due           zset     ids of jobs to run, by Unix ms: of one that is leased, the lease's end
  KEYS[3] index         zset     jobs by tenant and status

  ARGV[1] id                     of the job
  ARGV[2] leaseMs                ms it is not due for

  Returns { 1, job }; { 0 } it is not due, has ended, or is gone.

  Cost: O(log n) of the jobs kept. At most 8 inner calls.
]]
--- @include "includes/job.lua"
local id = ARGV[1]
local job = read_job(redis.call('GET', KEYS[1]))
if not job or job.ended > 0 then
  redis.call('ZREM', KEYS[2], id)
  return { 0 }
end
local now = now_ms()
local dueAt = redis.call('ZSCORE', KEYS[2], id)
if not dueAt or tonumber(dueAt) > now then return { 0 } end

redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[2])), id)
relist_job(KEYS[3], id, job.tenant, job.status, 'running')
job.status, job.fence, job.attempts = 'running', job.fence + 1, job.attempts + 1
job.updated = now
if job.started == 0 then job.started = now end
local text = job_text(job)
redis.call('SET', KEYS[1], text)
return { 1, text }
