--[[
  Put one session back as a checkpoint has it, its data in an object of S3; what stands there now goes. One that was terminated
  stays so.

  Why a script: tombstone, what stands there, record, index and counters are looked at and changed in one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] session       hash     the session; a string, its stub, when its data is in S3
  KEYS[3] index         zset     the tenant's index
  KEYS[4] dead          zset     the tenant's terminated sessions, by the end of their absolute lifetime

  ARGV[1] header                 as the checkpoint has it
  ARGV[2] object                 ULID of the object
  ARGV[3] place                  its bytes, sha256, raw bytes, charge while hot, version and seq of the data; comma separated
  ARGV[4] meta                   metadata as stored; empty = none
  ARGV[5] until                  when the object is deleted unless it is taken into use, ms

  Returns { 1 put back|2 it was before|6 it was terminated|7 its id was changed since|9 it has expired|12 its object is not waiting
  any more, 0 }; { 5, bytes needed } memory is full; { 8, bytes needed } storage is full; { 0, 0 } there is no such tenant. But for the first nothing
  was changed.

  Cost: O(log n) of the index, at most 13 inner calls.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local session, index = KEYS[2], KEYS[3]
local head = read_session(ARGV[1])
if not head or head.expires <= nowMs then return { 9, 0 } end
local ulid = ulid_of(session)
local object = ARGV[2] .. '.' .. ulid
local text, cold = stored_session(session)
local old = text and read_session(text)
local oldPlace = old and cold and read_place(text, old) or nil
if oldPlace and oldPlace.object == object then return { 2, 0 } end
local dead = redis.call('ZSCORE', KEYS[4], ulid .. '-' .. head.secret)
if dead and tonumber(dead) > nowMs then return { 6, 0 } end
if old and old.secret ~= head.secret then return { 7, 0 } end
local waits = doomed_session_member(object, ARGV[5])
if ARGV[5] + 0 <= nowMs or not redis.call('ZSCORE', index, waits) then return { 12, 0 } end

local objectBytes, sha256, rawBytes, hotCharge, version, seq = string.match(ARGV[3], '^(%d+),([%w_-]+),(%d+),(%d+),(%d+),(%d+)$')
left.seq = left.seq + 1
if old then head.version = math.max(head.version, old.version) + 1 end
head.seq = left.seq
local behind = string.format('\n%s,%s,%s,%s,%s,%s,%s,-\n%s', object, objectBytes, sha256, rawBytes, hotCharge, version, seq, ARGV[4])
local line = session_line(head, #session + #behind + STUB_OVERHEAD_BYTES)
local memoryLimit, storageLimit =
  string.match(redis.call('HGET', KEYS[1], 'h'), '^h1,%a+,%d+,%d+,%d+,%d+,(%d+),(%d+),%d+$')
local grown = head.charged - (old and old.charged or 0)
if grown > 0 and left.memory + grown > memoryLimit + 0 then return { 5, grown } end
local grownStorage = objectBytes - (oldPlace and oldPlace.bytes or 0)
if left.storage + grownStorage > storageLimit + 0 then return { 8, grownStorage } end

if old then forget_session(left, session, index, old, oldPlace, nowMs) end
redis.call('SET', session, line .. behind)
redis.call('ZREM', index, waits)
local members = { 0, session_key_member(head, ulid), 0, session_expiry_member(head.expires, ulid) }
local told = session_change_member(left, old and old.seq or 0, session_key_member(head, ulid))
if told then
  members[5], members[6] = 0, told
end
redis.call('ZADD', index, unpack(members))
left.sessions, left.spilled = left.sessions + 1, left.spilled + 1
left.spilledBytes, left.storage = left.spilledBytes + objectBytes, left.storage + objectBytes
left.memory = left.memory + head.charged
--- @include "includes/close-stock.lua"
return { 1, 0 }
