--[[
  Forget a job.

  Why a script: the lists name it by what its record says, so all go in one step.

  KEYS[1] job           string   the job (includes/job.lua)
  KEYS[2] due           zset     ids of jobs to run, by Unix ms
  KEYS[3] index         zset     jobs by tenant and status
  KEYS[4] ended         zset     ids of ended jobs, by when they ended, Unix ms

  ARGV[1] id                     of the job

  Returns { 1 } removed; { 0 } it was gone before.

  Cost: O(log n) of the jobs kept. At most 6 inner calls.
]]
--- @include "includes/job.lua"
local id = ARGV[1]
local job = read_job(redis.call('GET', KEYS[1]))
if job then
  redis.call('ZREM', KEYS[3], unpack(lasting_members(id, job.tenant)))
  redis.call('ZREM', KEYS[3], unpack(status_members(id, job.tenant, job.status)))
end
redis.call('ZREM', KEYS[2], id)
redis.call('ZREM', KEYS[4], id)
return { redis.call('DEL', KEYS[1]) }
