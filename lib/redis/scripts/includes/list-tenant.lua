-- The list of tenants: one sorted set of members by id, plan, status and both, and a summary of each tenant to search in.
-- Written here only. Read by list-tenants.lua.
local function list_members(id, plan, status)
  return 'i\0' .. id, 'p\0' .. plan .. '\0' .. id, 's\0' .. status .. '\0' .. id, 'b\0' .. plan .. '\0' .. status .. '\0' .. id
end

-- Lists a tenant as its record of revision `rev` says, unless it is listed as of that one or a later. 4 inner calls at most.
local function list_tenant(index, summary, id, rev, plan, status, text)
  local old = redis.call('HGET', summary, id)
  if old then
    local oldRev, oldPlan, oldStatus = string.match(old, '^(%d+)\t([^\t]*)\t([^\t]*)\t')
    if oldRev + 0 >= rev + 0 then return end
    redis.call('ZREM', index, list_members(id, oldPlan, oldStatus))
  end
  local byId, byPlan, byStatus, byBoth = list_members(id, plan, status)
  redis.call('ZADD', index, 0, byId, 0, byPlan, 0, byStatus, 0, byBoth)
  redis.call('HSET', summary, id, rev .. '\t' .. plan .. '\t' .. status .. '\t' .. text)
end
