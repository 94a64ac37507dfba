--[[
  Remove records of a tenant that have expired, with their bytes: cache entries, sessions, states of limits, idempotent calls.

  Why a script: a record written again meanwhile must stay, and the byte counter must equal what is stored at any time.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3..] records     string   records whose expiry member was found due; then perhaps as many leases, of those who load
                                 the entries among them

  ARGV[1..] expiries             for each record: the expiry the caller saw (ms)

  Returns { removed, bytes freed, members of the index that were moved or were of no record }.

  Cost: O(records * log n). 6 inner calls a record at most, and 4 for all; call it with at most 500.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/entry.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
--- @include "includes/limit-state.lua"
--- @include "includes/tenant-call.lua"
local index = KEYS[2]
local before = left.memory
local removed, settled = 0, 0
-- Of most nobody loads any.
local leased = #KEYS > #ARGV + 2 and redis.call('EXISTS', unpack(KEYS, #ARGV + 3)) > 0
for i = 3, #ARGV + 2 do
  local record, seen = KEYS[i], tonumber(ARGV[i - 2])
  local keyMember = key_member(record)
  local kind = string.sub(keyMember, 3, 3)
  local text, head, cold, place
  if kind == 's' then
    text, cold = stored_session(record)
    text = text or ''
    head = read_session(text)
    place = head and cold and read_place(text, head) or nil
    if cold and not place then head = nil end
    if head then head.gone = head.expires <= nowMs end
  else
    text = redis.call('GETRANGE', record, 0, 255)
  end
  if text ~= '' and kind == 'c' then
    head = read_head(record, text, nowMs)
  elseif text ~= '' and kind ~= 's' then
    local read = kind == 'l' and read_limit or read_call
    head = read(text, nowMs)
  end
  -- The expiry it is listed under. Only the state of a limit may live on past it: its member moves when it is met here.
  local indexed = head and (head.indexed or head.expires)
  if head and head.gone then
    if kind == 'c' then
      forget_entry(left, record, index, head, nowMs)
      if leased then end_older_load(KEYS[i + #ARGV], head, nowMs) end
    elseif kind == 's' then
      forget_session(left, record, index, head, place, nowMs)
      if head.expires ~= seen then redis.call('ZREM', index, expiry_member(seen, keyMember)) end
    else
      forget_record(left, record, index, indexed, measured_charge(record))
      if indexed ~= seen then redis.call('ZREM', index, expiry_member(seen, keyMember)) end
    end
    removed = removed + 1
  elseif kind ~= 'c' and kind ~= 's' and text ~= '' and not head then
    -- Nobody can read it, and no read will find that out.
    forget_record(left, record, index, seen, measured_charge(record))
    removed = removed + 1
  elseif seen <= nowMs and indexed ~= seen then
    -- The member names an expiry the record no longer has: a leftover, of no record.
    redis.call('ZREM', index, expiry_member(seen, keyMember))
    settled = settled + 1
  elseif kind == 'l' and seen <= nowMs then
    head.indexed = indexed_expiry(head.expires, nowMs)
    redis.call('SET', record, write_limit(head))
    redis.call('ZREM', index, expiry_member(seen, keyMember))
    redis.call('ZADD', index, 0, expiry_member(head.indexed, keyMember))
    settled = settled + 1
  end
end
if removed > 0 then
--- @include "includes/close-stock.lua"
end
return { removed, before - left.memory, settled }
