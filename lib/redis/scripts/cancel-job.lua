--[[
  End a job before it is done, and tell the audit log.

  Why a script: it ends once, whoever saves a step meanwhile; and a kill cannot come between the end and its entry in the log.

  KEYS[1] job           string   the job (includes/job.lua)
  KEYS[2] due           zset     ids of jobs to run, by Unix ms
  KEYS[3] index         zset     jobs by tenant and status
  KEYS[4] ended         zset     ids of ended jobs, by when they ended, Unix ms
  KEYS[5] pending       list     audit entries not yet sealed, JSON, oldest first
  KEYS[6] seen          zset     ids of the last 10,000 entries pushed -> Unix ms

  ARGV[1] id                     of the job
  ARGV[2] entryId                of the audit entry
  ARGV[3] entry                  the audit entry, JSON

  Returns { 1, job } cancelled, also when it was before; { 2 } it has ended otherwise; { 0 } no such job.

  Cost: O(log n) of the jobs kept. At most 13 inner calls.
]]
--- @include "includes/job.lua"
--- @include "includes/push-audit.lua"
local id = ARGV[1]
local stored = redis.call('GET', KEYS[1])
local job = read_job(stored)
if not job then return { 0 } end
if job.status == 'cancelled' then return { 1, stored } end
if job.ended > 0 then return { 2 } end

local now = now_ms()
push_audit(KEYS[5], KEYS[6], ARGV[2], ARGV[3])
redis.call('ZREM', KEYS[2], id)
redis.call('ZADD', KEYS[4], string.format('%d', now), id)
relist_job(KEYS[3], id, job.tenant, job.status, 'cancelled')
job.status, job.ended = 'cancelled', now
job.updated = now
local text = job_text(job)
redis.call('SET', KEYS[1], text)
return { 1, text }
