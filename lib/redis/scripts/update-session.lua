--[[
  Change data of one session through the tenant's gate, or refuse and change nothing. Of keys that are not named nothing is read
  or written: writers of different keys do not meet.

  Why a script: limits, memory, condition, data, version, index and counters change together or not at all.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] session       hash     the session; a string, its stub, when its data is in S3
  KEYS[4] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] secret                 the second part of the session's id
  ARGV[7] condition              the version it must have; empty = any
  ARGV[8] op                     id of this operation, 10 hex digits: the same again is a replay, answered and not metered
  ARGV[9] maxBytes               of all data keys and texts
  ARGV[10] maxKeys               data keys it may have
  ARGV[11] replace               1 = data keys that are not named go, too
  ARGV[12] sets                  how many are set
  ARGV[13..] fields              `d:<key>` and a text of each to be set, then `d:<key>` of each to be removed

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, version, expires ms, bytes of
  hot sessions, share or -1 when it was not looked at }; outcome 0 there is none, 1 changed, 3 it has another version, 4
  replay; nothing changed and nothing metered: 5 memory is full: then used, held, what is needed and the limit follow, in bytes; 7
  its data is in S3: then the stub follows, 9 it cannot be read, 10 the share of the session memory is full: then bytes of hot
  sessions, share, epoch of the share and what is needed follow, 11 too large: then the bytes and keys it would have; or a
  refusal of the gate.

  Cost: O(bytes of the named keys); with `replace` O(bytes of all). 5 inner calls; 6 when it grows, 1 more when keys are removed, 2
  more when its recency moves.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local session, index, op, sets = KEYS[3], KEYS[4], ARGV[8], tonumber(ARGV[12])
local ulid = ulid_of(session)
-- What is set, and the texts it has now.
local names, old = { 'h' }, {}
for i = 1, sets do names[i + 1] = ARGV[11 + i * 2] end
for i = 13 + sets * 2, #ARGV do names[#names + 1] = ARGV[i] end
local text
local values
if ARGV[11] == '1' then
  values = redis.pcall('HGETALL', session)
  for i = 1, values.err and 0 or #values, 2 do old[values[i]] = values[i + 1] end
else
  values = redis.pcall('HMGET', session, unpack(names))
  for i = 1, values.err and 0 or #values do old[names[i]] = values[i] or nil end
end
text = old.h
if values.err then text = redis.call('GET', session) end

local head = text and read_session(text)
if text and not head then return { OK, level, minuteOps, nowMs, opm, burst, own, 9 } end
if head and head.secret ~= ARGV[6] then head = nil end
local place = head and values.err and read_place(text, head)
if head and values.err and not place then return { OK, level, minuteOps, nowMs, opm, burst, own, 9 } end
local outcome, share = 0, -1
local left = read_stock(stock, nowMs)
if head and head.expires <= nowMs then
  forget_session(left, session, index, head, place or nil, nowMs)
  stock = write_stock(left)
  head = nil
end
if head then
  local replayed = version_of_operation(head, op)
  if replayed then
    return { OK, level, minuteOps, nowMs, opm, burst, own, 4, replayed, head.expires, left.hotBytes, -1 }
  end
  outcome = 1
  if ARGV[7] ~= '' and tonumber(ARGV[7]) ~= head.version then outcome = 3 end
end
if outcome == 1 and place then return { OK, level, minuteOps, nowMs, opm, burst, own, 7, text } end
if outcome == 1 then
  local transferBytes, bytes, keys = 0, head.dataBytes, head.dataKeys
  local written, removed = {}, {}
  for i = 13, 12 + sets * 2, 2 do
    local name, value = ARGV[i], ARGV[i + 1]
    if old[name] then
      bytes = bytes - #old[name]
    else
      bytes, keys = bytes + #name - 2, keys + 1
    end
    bytes, transferBytes = bytes + #value, transferBytes + #name - 2 + #value
    old[name] = nil
    written[#written + 1] = name
    written[#written + 1] = value
  end
  -- What is named to be removed, or not named at all.
  old.h = nil
  if ARGV[11] == '1' then
    for name in pairs(old) do
      if string.sub(name, 1, 2) == 'd:' then removed[#removed + 1] = name end
    end
  else
    for i = 13 + sets * 2, #ARGV do
      if old[ARGV[i]] then removed[#removed + 1] = ARGV[i] end
    end
  end
  for _, name in ipairs(removed) do
    -- One may be named twice.
    if old[name] then bytes, keys = bytes - (#name - 2) - #old[name], keys - 1 end
    old[name] = nil
  end
  -- One that was larger before the limit was lowered may shrink.
  if bytes > math.max(ARGV[9], head.dataBytes) or keys > math.max(ARGV[10], head.dataKeys) then
    return { OK, level, minuteOps, nowMs, opm, burst, own, 11, bytes, keys }
  end

  local before = head.charged
  -- Charged for what stands besides the header's line: a data key has `d:` before it.
  local meta = string.sub(text, head.length + 1)
  local around = before - head.length + bytes - head.dataBytes + 2 * (keys - head.dataKeys)
  left.seq = left.seq + 1
  local _, gone, come = used_now(text, head, ulid, true, nowMs, left)
  local told = not gone and session_change_member(left, head.seq, session_key_member(head, ulid))
  head.version, head.seq, head.dataBytes, head.dataKeys = head.version + 1, left.seq, bytes, keys
  head.ops = with_operation(head.ops, op)
  local line = session_line(head, around)
  local needed = head.charged - before
  local grown = left.memory + needed
  if gate[4] or grown > memoryLimit + 0 or transfer + transferBytes > transferLimit + 0 then
--- @include "includes/holds.lua"
    if needed > 0 then
--- @include "includes/check-memory.lua"
    end
--- @include "includes/check-transfer.lua"
  else
    transfer = transfer + transferBytes
  end
  if needed > 0 then
--- @include "includes/session-share.lua"
    local epoch
    share, epoch = session_share(KEYS[1])
    if left.hotBytes + needed > share then
      return { OK, level, minuteOps, nowMs, opm, burst, own, 10, left.hotBytes, share, epoch, needed }
    end
  end

  redis.call('HSET', session, 'h', line .. meta, unpack(written))
  if #removed > 0 then redis.call('HDEL', session, unpack(removed)) end
  if gone then
    redis.call('ZREM', index, unpack(gone))
    redis.call('ZADD', index, unpack(come))
  elseif told then
    redis.call('ZADD', index, 0, told)
  end
  left.memory, left.hotBytes, left.bytesIn = grown, left.hotBytes + needed, left.bytesIn + transferBytes
  stock = write_stock(left)
end
--- @include "includes/close-gate.lua"
return {
  OK, level, minuteOps, nowMs, opm, burst, own, outcome, head and head.version or 0, head and head.expires or 0, left.hotBytes,
  share,
}
