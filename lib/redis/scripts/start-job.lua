--[[
  Keep a new job and make it due at once, unless it is there or too many wait.

  Why a script: a job that is started twice under one id is one job; and record, list and due time are one step, or a kill
  between them would leave a job that nobody runs or finds.

  KEYS[1] job           string   the job (includes/job.lua)
  KEYS[2] due           zset     ids of jobs to run, by Unix ms
  KEYS[3] index         zset     jobs by tenant and status

  ARGV[1] id                     of the job
  ARGV[2] tenant                 its tenant's id, or -
  ARGV[3] json                   what the job is
  ARGV[4] maxOpen                jobs that may wait or run
  ARGV[5] maxOpenOfTenant        of one tenant

  Returns { 1, job, jobs that wait or run now } started; { 0, job } it was there before, as it is now; { 2 } too many are open: nothing was changed.

  Cost: O(log n) of the jobs kept. At most 11 inner calls.
]]
--- @include "includes/job.lua"
local id, tenant = ARGV[1], ARGV[2]
local stored = redis.call('GET', KEYS[1])
if stored then return { 0, stored } end
local openJobs = redis.call('ZCARD', KEYS[2])
if openJobs >= tonumber(ARGV[4]) then return { 2 } end
if tenant ~= '-' then
  local open = 0
  for _, status in ipairs({ 'queued', 'running' }) do
    local prefix = '[b\0' .. tenant .. '\0' .. status
    open = open + redis.call('ZLEXCOUNT', KEYS[3], prefix .. '\0', prefix .. '\1')
  end
  if open >= tonumber(ARGV[5]) then return { 2 } end
end
local now = now_ms()
local text = job_text({
  status = 'queued',
  fence = 0,
  attempts = 0,
  updated = now,
  started = 0,
  ended = 0,
  tenant = tenant,
  json = ARGV[3],
})
redis.call('ZADD', KEYS[2], string.format('%d', now), id)
list_members(KEYS[3], lasting_members(id, tenant))
list_members(KEYS[3], status_members(id, tenant, 'queued'))
redis.call('SET', KEYS[1], text)
return { 1, text, openJobs + 1 }
