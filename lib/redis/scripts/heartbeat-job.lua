--[[
  Keep how far a step has come that is still under way, and renew its lease.

  Why a script: only the holder of the last lease may, and not once the step is saved. The record says by `updated` which save it
  is, so a heartbeat that arrives late undoes nothing.

  KEYS[1] job           string   the job (includes/job.lua)
  KEYS[2] due           zset     ids of jobs to run, by Unix ms

  ARGV[1] id                     of the job
  ARGV[2] fence                  of the claim that runs the step
  ARGV[3] updatedMs              of the job as the caller knows it
  ARGV[4] leaseMs                ms it is not due for
  ARGV[5] json                   what the job is now

  Returns { 1, job } kept; { 2, job } it was saved meanwhile under the same claim, as after a lost reply: nothing was changed;
  { 0 } it is somebody else's, has ended, or is gone: nothing was changed.

  Cost: O(log n) of the jobs kept. At most 4 inner calls.
]]
--- @include "includes/job.lua"
local id = ARGV[1]
local stored = redis.call('GET', KEYS[1])
local job = read_job(stored)
if not job or job.ended > 0 or job.fence ~= tonumber(ARGV[2]) then return { 0 } end
if job.updated ~= tonumber(ARGV[3]) then return { 2, stored } end

local now = now_ms()
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[4])), id)
-- Two within a millisecond are two.
job.updated, job.json = math.max(now, job.updated + 1), ARGV[5]
local text = job_text(job)
redis.call('SET', KEYS[1], text)
return { 1, text }
