--[[
  One page of the tenants of a plan and a status, or of all; with a text, of those whose name or owner holds it.

  Why a script: a search looks at many summaries and gives back few ids.

  KEYS[1] index         zset     the tenants by plan and status
  KEYS[2] summary       hash     id -> `<rev>\t<plan>\t<status>\t<search text>`

  ARGV[1] prefix                 what members of the wanted plan and status begin with, to the NUL before the id
  ARGV[2] after                  the last id of the page before; empty = begin
  ARGV[3] limit                  ids at most
  ARGV[4] text                   lower case; empty = any

  Returns { ids, cursor }: the id to go on after, empty at the end. A search looks at 2,000 tenants, so its page may be short
  or empty and still have a cursor.

  Cost: O(log tenants + limit), 1 inner call; with a text O(2,000), at most 8.
]]
local MAX_EXAMINED, BATCH = 2000, 500
local prefix, limit, text = ARGV[1], tonumber(ARGV[3]), ARGV[4]
local ids, cursor, examined = {}, ARGV[2], 0
-- A prefix ends with NUL, and nothing stands between it and the same with \1.
local from, to = '[' .. prefix, '(' .. string.sub(prefix, 1, -2) .. '\1'
if cursor ~= '' then from = '(' .. prefix .. cursor end

while true do
  local size = text == '' and limit + 1 or BATCH
  local members = redis.call('ZRANGE', KEYS[1], from, to, 'BYLEX', 'LIMIT', 0, string.format('%d', size))
  local found = {}
  for i, member in ipairs(members) do found[i] = string.sub(member, #prefix + 1) end
  local summaries = text ~= '' and #found > 0 and redis.call('HMGET', KEYS[2], unpack(found)) or {}
  for i, id in ipairs(found) do
    if #ids == limit then return { ids, cursor } end
    local at = summaries[i] and string.match(summaries[i], '^[^\t]*\t[^\t]*\t[^\t]*\t()')
    if text == '' or at and string.find(summaries[i], text, at, true) then ids[#ids + 1] = id end
    cursor = id
  end
  examined = examined + #members
  if #members < size then return { ids, '' } end
  if text == '' or examined >= MAX_EXAMINED then return { ids, cursor } end
  from = '(' .. prefix .. cursor
end
