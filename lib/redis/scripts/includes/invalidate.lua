-- Invalidates entries of a tenant at once, whatever their number, or counts them. Runs where it stands, after the counters were
-- opened (`nowMs`, `left`, `more`), with `index`, `invalidated`, `what`, `names` (a list), `pending` (field `v` or nil) and `dry` set.
--   all         every entry
--   namespace   entries of the namespace names[1]
--   prefix      only begins it: entries of names[1] whose key starts with names[2] are for the caller to remove
--   named       only gives a seq: the entries and their leases are for the caller to remove
--   tags        entries with any of these tags
-- Leaves `outcome` 1 done or counted, 2 too many tags or namespaces wait to be reclaimed, and nothing was done; `counts`, of each
-- name how many entries it matches, also those that have expired or are invalidated already; `unsettled`: how many of the
-- tenant's records have expired, and of tags one more while there are entries that the index does not list by tag; `newest`: the
-- newest epoch of what was invalidated before and is not settled, 0 none. Where `unsettled` is 0, and all up to `newest` is
-- reclaimed, the counts are exact.
local MAX_PENDING = 10000
local function count_between(first, last)
  return redis.call('ZLEXCOUNT', index, '[' .. first, '(' .. last)
end

local counts, outcome = {}, 1
if what == 'all' then
  counts[1] = count_between('k\0c\0', 'k\0c\1')
elseif what == 'namespace' then
  counts[1] = count_between('k\0c\0' .. names[1] .. '\0', 'k\0c\0' .. names[1] .. '\1')
elseif what == 'prefix' then
  local first = 'k\0c\0' .. names[1] .. '\0' .. names[2]
  counts[1] = count_between(first, names[2] == '' and 'k\0c\0' .. names[1] .. '\1' or first .. '\255')
elseif what == 'tags' then
  for i, tag in ipairs(names) do counts[i] = count_between('t\0' .. tag .. '\0', 't\0' .. tag .. '\1') end
end
local unsettled, newest = count_between('e\0', string.format('e\0%014.0f', nowMs + 1)), 0
if what == 'tags' then
  -- Entries of format c1 have no access member, and none of a tag.
  local listed = count_between('a\0', 'a\1') + count_between('s\0', 's\1')
  if count_between('k\0c\0', 'k\0c\1') > listed then unsettled = unsettled + 1 end
end
if pending then
  newest = tonumber(redis.call('ZREVRANGE', invalidated, 0, 0, 'WITHSCORES')[2] or 0)
  newest = math.max(newest, tonumber(string.match(pending, '^v1,(%d+)') or 0))
end

if not dry and what == 'named' then
  left.seq = left.seq + 1
elseif not dry then
  local all, namespaces, tagsPending, allAt, share = string.match(pending or '', '^v1,(%d+),(%d+),(%d+),(%d+),(%d+)$')
  all, namespaces, tagsPending = tonumber(all or 0), tonumber(namespaces or 0), tonumber(tagsPending or 0)
  local seq, changes, waiting = string.format('%d', left.seq + 1), {}, {}
  if what == 'all' then
    all, allAt = left.seq + 1, nowMs
  elseif what == 'tags' then
    local fields = {}
    for i, tag in ipairs(names) do fields[i] = 't:' .. tag end
    for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(fields))) do
      if not value then tagsPending = tagsPending + 1 end
      waiting[#waiting + 1] = seq
      waiting[#waiting + 1] = fields[i]
      changes[#changes + 1] = fields[i]
      changes[#changes + 1] = seq .. string.format(',%d', nowMs)
    end
  else
    local before = redis.call('HGET', KEYS[1], 'n:' .. names[1])
    if not before then namespaces = namespaces + 1 end
    local epoch = what == 'namespace' and seq or string.match(before or '', '^(%d+),') or '0'
    changes = { 'n:' .. names[1], string.format('%s,%s,%d', epoch, seq, nowMs) }
    waiting = { seq, 'n:' .. names[1] }
  end
  if namespaces + tagsPending > MAX_PENDING then
    outcome = 2
  else
    left.seq = left.seq + 1
    if #waiting > 0 then redis.call('ZADD', invalidated, unpack(waiting)) end
    more = more or {}
    for _, value in ipairs(changes) do more[#more + 1] = value end
    more[#more + 1] = 'v'
    more[#more + 1] = string.format('v1,%d,%d,%d,%d,%s', all, namespaces, tagsPending, allAt or 0, share or '0')
  end
end
