--[[
  Create one session through the tenant's gate, or refuse and change nothing.

  Why a script: limits, memory, the tombstone of its id, record, index and counters change together or not at all.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] session       hash     the session
  KEYS[4] index         zset     the tenant's index
  KEYS[5] dead          zset     the tenant's terminated sessions, by the end of their absolute lifetime

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] secret                 the second part of the session's id
  ARGV[7] user                   whose it is, escaped; empty = nobody's
  ARGV[8] idleMs                 how long it lives unused, ms
  ARGV[9] lifeMs                 how long it lives at all, ms
  ARGV[10] op                    id of this operation, 10 hex digits: the same again is a replay, answered and not metered
  ARGV[11] meta                  metadata; empty = none
  ARGV[12] place                 empty = its data is in `fields`; or where it is in S3, and what of it is charged: object ULID,
                                 object bytes, sha256, raw bytes, when the object is deleted unless it is taken into use (ms), data
                                 bytes, data keys
  ARGV[13..] fields              `d:<key>` and a text, for each data key

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, header, bytes of hot
  sessions, share }; outcome 1 created, 4 replay; nothing changed and nothing metered: 2 there is one, 5 memory is full: then used,
  held, what is needed and the limit follow, in bytes; 6 it was terminated, 10 the share of the session memory is full: then
  bytes of hot sessions, share, epoch of the share and what is needed follow; of one in S3: 8 storage is full: then used, held, what is
  needed and the limit follow, in bytes, 12 its object is not waiting any more; or a refusal of the gate.

  Cost: O(log n) of the index and O(bytes). 8 inner calls, 10 of one in S3; up to 3 more when an expired one was in its place.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
--- @include "includes/session-share.lua"
local session, index, secret, user, op = KEYS[3], KEYS[4], ARGV[6], ARGV[7], ARGV[10]
local left = read_stock(stock, nowMs)
local ulid = ulid_of(session)

local text, cold = stored_session(session)
local old = text and read_session(text)
local oldPlace = old and cold and read_place(text, old)
if text and not (old and old.expires <= nowMs and old.secret == secret) then
  local mine = old and old.secret == secret
  local replayed = mine and version_of_operation(old, op) == 1
  return { OK, level, minuteOps, nowMs, opm, burst, own, replayed and 4 or 2, mine and string.sub(text, 1, old.length) or '' }
end
local dead = redis.call('ZSCORE', KEYS[5], ulid .. '-' .. secret)
if dead and tonumber(dead) > nowMs then return { OK, level, minuteOps, nowMs, opm, burst, own, 6 } end

local meta = ARGV[11] == '' and '' or '\n' .. ARGV[11]
local around, dataBytes, dataKeys = #session + 1 + #meta + SESSION_OVERHEAD_BYTES, 0, 0
for i = 13, #ARGV, 2 do
  local bytes = #ARGV[i] + #ARGV[i + 1]
  around = around + bytes
  dataBytes, dataKeys = dataBytes + bytes - 2, dataKeys + 1
end
local object, objectBytes, sha256, rawBytes, untilMs, coldBytes, coldKeys =
  string.match(ARGV[12], '^(%w+),(%d+),([%w_-]+),(%d+),(%d+),(%d+),(%d+)$')
if object then
  dataBytes, dataKeys = tonumber(coldBytes), tonumber(coldKeys)
  around = around + dataBytes + 2 * dataKeys
end
left.seq = left.seq + 1
local head = {
  access = string.format('%011x', nowMs), version = 1, secret = secret, created = nowMs, idle = tonumber(ARGV[8]),
  life = tonumber(ARGV[9]), dataBytes = dataBytes, dataKeys = dataKeys, seq = left.seq,
  ops = op, user = user,
}
head.expires = end_of(head)
local line = session_line(head, around)
local behind, waits
if object then
  object = object .. '.' .. ulid
  waits = doomed_session_member(object, untilMs)
  behind = string.format('\n%s,%s,%s,%s,%d,1,0,-\n%s', object, objectBytes, sha256, rawBytes, head.charged, ARGV[11])
  line = session_line(head, #session + #behind + STUB_OVERHEAD_BYTES)
end
-- Without the expired one in its place, and a tombstone that has had its time.
local before = old and old.charged or 0
local hotBefore = old and not cold and before or 0
if dead then before = before + TOMBSTONE_BYTES end
local grown = left.memory + head.charged - before
local transferBytes = dataBytes
--- @include "includes/holds.lua"
--- @include "includes/check-memory.lua"
local share, epoch = session_share(KEYS[1])
if object then
  local grownStorage = left.storage + objectBytes
--- @include "includes/check-storage.lua"
  if untilMs + 0 <= nowMs or not redis.call('ZSCORE', index, waits) then
    return { OK, level, minuteOps, nowMs, opm, burst, own, 12 }
  end
elseif left.hotBytes + head.charged - hotBefore > share then
  return { OK, level, minuteOps, nowMs, opm, burst, own, 10, left.hotBytes, share, epoch, head.charged }
end
--- @include "includes/check-transfer.lua"

if old then forget_session(left, session, index, old, oldPlace or nil, nowMs) end
if dead then
  redis.call('ZREM', KEYS[5], ulid .. '-' .. secret)
  left.memory, left.kept = left.memory - TOMBSTONE_BYTES, math.max(0, left.kept - TOMBSTONE_BYTES)
end
local members = { 0, session_key_member(head, ulid), 0, session_expiry_member(head.expires, ulid) }
local told = session_change_member(left, 0, session_key_member(head, ulid))
if told then
  members[5], members[6] = 0, told
end
if object then
  redis.call('SET', session, line .. behind)
  redis.call('ZREM', index, waits)
  left.spilled, left.spilledBytes = left.spilled + 1, left.spilledBytes + objectBytes
  left.storage = left.storage + objectBytes
else
  local fields = { 'h', line .. meta }
  for i = 13, #ARGV do fields[i - 10] = ARGV[i] end
  redis.call('HSET', session, unpack(fields))
  members[#members + 1] = 0
  members[#members + 1] = session_access_member(head.access, ulid)
  left.hotBytes = left.hotBytes + head.charged
end
redis.call('ZADD', index, unpack(members))
left.memory = left.memory + head.charged
left.sessions, left.bytesIn = left.sessions + 1, left.bytesIn + transferBytes
stock = write_stock(left)
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, 1, line, left.hotBytes, share }
