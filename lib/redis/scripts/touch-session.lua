--[[
  Have a session live its idle time from now on, through the tenant's gate; its data stays where it is.

  Why a script: the key, the limits, the header, its members in the index and the metering are one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] session       hash     the session; a string, its stub, when its data is in S3
  KEYS[3] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] secret                 the second part of the session's id
  ARGV[7] idleMs                 how long it lives unused from now on, ms; empty = as before

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome 1 done|0 there is none|9 it
  cannot be read, header }, or a refusal of the gate. The same again sets the same lifetime from then on, and is metered again.

  Cost: O(log n) of the index. 4 inner calls; 7 when recency moves, or the idle time.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local session, index = KEYS[2], KEYS[3]
local text, cold = stored_session(session)
local head = text and read_session(text)
local place = head and cold and read_place(text, head)
if text and (not head or (cold and not place)) then return { OK, level, minuteOps, nowMs, opm, burst, own, 9 } end
local outcome, line = 0, ''
if head and head.secret == ARGV[6] then
  local left = read_stock(stock, nowMs)
  if head.expires <= nowMs then
    forget_session(left, session, index, head, place or nil, nowMs)
    stock = write_stock(left)
  else
    outcome, line = 1, string.sub(text, 1, head.length)
    local ulid, idle = ulid_of(session), tonumber(ARGV[7]) or head.idle
    local changed = idle ~= head.idle
    local _, gone, come
    if changed then
      -- As if it had been unused for long: then the members move.
      local access, expires = head.access, head.expires
      head.access, head.idle = '00000000000', idle
      _, gone, come = used_now(line, head, ulid, not cold, nowMs, left)
      gone = { session_expiry_member(expires, ulid), session_access_member(access, ulid) }
      local before = head.charged
      line = session_line(head, before - head.length)
      left.memory = left.memory + head.charged - before
      if not cold then left.hotBytes = left.hotBytes + head.charged - before end
      stock = write_stock(left)
    else
      local used
      used, gone, come = used_now(line, head, ulid, not cold, nowMs, left)
      line = used or line
    end
    if gone then
      local behind = string.sub(text, head.length + 1)
      if cold then redis.call('SET', session, line .. behind) else redis.call('HSET', session, 'h', line .. behind) end
      redis.call('ZREM', index, unpack(gone))
      redis.call('ZADD', index, unpack(come))
    end
  end
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, line }
