-- The head of a stored job: what the scripts look at and change. Written here only; read by lib/jobs/job-format.ts, too:
--   j1,<status>,<fence>,<attempts>,<updated ms>,<started ms, 0 not yet>,<ended ms, 0 not yet>,<tenant id, or ->\n<JSON>
-- Whoever claims a job adds 1 to `fence`, so that what an earlier one still saves is refused.
local function read_job(text)
  local status, fence, attempts, updated, started, ended, tenant, json =
    string.match(text or '', '^j1,(%l+),(%d+),(%d+),(%d+),(%d+),(%d+),([%w%-]+)\n(.*)$')
  if not status then return nil end
  return {
    status = status,
    fence = tonumber(fence),
    attempts = tonumber(attempts),
    updated = tonumber(updated),
    started = tonumber(started),
    ended = tonumber(ended),
    tenant = tenant,
    json = json,
  }
end

local function job_text(job)
  local numbers = string.format('%d,%d,%d,%d,%d', job.fence, job.attempts, job.updated, job.started, job.ended)
  return 'j1,' .. job.status .. ',' .. numbers .. ',' .. job.tenant .. '\n' .. job.json
end

-- Unix ms, of Redis.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Members of the list by status, and by tenant and status.
local function status_members(id, tenant, status)
  local members = { 's\0' .. status .. '\0' .. id }
  if tenant ~= '-' then members[2] = 'b\0' .. tenant .. '\0' .. status .. '\0' .. id end
  return members
end

-- Members of the list that stay: of all jobs, and of a tenant's.
local function lasting_members(id, tenant)
  local members = { 'a\0' .. id }
  if tenant ~= '-' then members[2] = 't\0' .. tenant .. '\0' .. id end
  return members
end

local function list_members(index, members)
  for _, member in ipairs(members) do redis.call('ZADD', index, 0, member) end
end

-- Lists a job under another status than before. At most 3 inner calls.
local function relist_job(index, id, tenant, from, to)
  if from == to then return end
  redis.call('ZREM', index, unpack(status_members(id, tenant, from)))
  list_members(index, status_members(id, tenant, to))
end
