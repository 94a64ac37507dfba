--[[
  Remove cache entries of a tenant with their bytes: those that were invalidated, those a caller named, or the coldest; or count
  them.

  Why a script: an entry written meanwhile must stay, and the byte counter must equal what is stored at any time.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3..] records     string   the entries; then perhaps as many leases, of those who load them: of
                                 `older` all go, else those of loads that began before the entry was written

  ARGV[1] which                  older = not written after seq `bound`; seen = none, only count those; hidden = invalidated; coldest =
                                 until the tenant uses `bound` bytes of memory
  ARGV[2] bound                  as `which` says; 0 of hidden
  ARGV[3] count                  how many of the keys are entries
  ARGV[4..] accesses             of coldest, for each entry: the minute of the last access the caller saw, 8 digits; empty
                                 of one of format c1

  Returns { removed, bytes of memory freed, members of the index that were moved or were of no entry, how many removed entries (of
  `seen`: of all) a read would still have seen, bytes of memory in use then }.

  Cost: O(entries * log n) of the index and O(tags). 6 inner calls an entry at most, and 5 for all; call it with at most 500.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/entry.lua"
--- @include "includes/epochs.lua"
local index, which, bound, count = KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local pending = redis.call('HGET', KEYS[1], 'v')
local before, removed, settled, seen = left.memory, 0, 0, 0
local order, texts = {}, {}
for place = 1, count do order[place] = place + 2 end
-- Of most nobody loads any.
local leased = which ~= 'older' and #KEYS > count + 2 and redis.call('EXISTS', unpack(KEYS, count + 3)) > 0
-- The order of the index tells minutes apart. Where it comes to this one the entries are looked at first: those that were written
-- in it, the oldest first, then those that were only read in it, and at last what was written just now.
local LAST_WRITES = 16
if which == 'coldest' and ARGV[count + 3] == string.format('%d', thisMinute) then
  local ranks = {}
  for _, i in ipairs(order) do
    ranks[i] = i - count
    if ARGV[i + 1] == ARGV[count + 3] then
      texts[i] = redis.call('GETRANGE', KEYS[i], 0, 511)
      local head = read_head(KEYS[i], texts[i], nowMs) or { seq = 0, updated = 0 }
      local class = head.updated / 60000 >= thisMinute and 1 or 2
      if head.seq > left.seq - LAST_WRITES then class = 3 end
      ranks[i] = class * 2 ^ 51 + head.seq
    end
  end
  table.sort(order, function(one, other)
    if ranks[one] == ranks[other] then return one < other end
    return ranks[one] < ranks[other]
  end)
end
for _, i in ipairs(order) do
  local entry = KEYS[i]
  if which == 'coldest' and left.memory <= bound then break end
  local text = texts[i] or redis.call('GETRANGE', entry, 0, 511)
  local head = text ~= '' and read_head(entry, text, nowMs) or nil
  local hidden = head and pending and head.seq <= newest_epoch(KEYS[1], pending, namespace_of(entry), head.tags)
  local goes = false
  if which == 'older' then
    goes = text ~= '' and (not head or head.seq <= bound)
  elseif which == 'seen' then
    if head and head.seq <= bound and not hidden and not head.gone then seen = seen + 1 end
  elseif which == 'hidden' then
    goes = hidden
  else
    goes = head and head.access == ARGV[i + 1]
    if not goes then
      -- The member is of an access that was moved since, or of no entry any more.
      local suffix = '\0' .. ARGV[i + 1] .. string.sub(key_member(entry), 2)
      settled = settled + redis.call('ZREM', index, 'a' .. suffix, 's' .. suffix)
    end
  end
  if goes then
    if not hidden and not (head and head.gone) then seen = seen + 1 end
    local lease = KEYS[i + count]
    forget_entry(left, entry, index, head, nowMs, which == 'older' and lease or nil)
    if leased then end_older_load(lease, head, nowMs) end
    removed = removed + 1
  elseif which == 'older' and text == '' and KEYS[i + count] then
    redis.call('UNLINK', KEYS[i + count])
  end
end
if removed > 0 then
--- @include "includes/close-stock.lua"
end
return { removed, before - left.memory, settled, seen, left.memory }
