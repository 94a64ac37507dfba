--[[
  Put a session's data back into Redis, if its stub is still the one that was read.

  Why a script: a session changed or terminated meanwhile must stay as it is, and the counters must equal what is stored.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3] session       hash     the session
  KEYS[4] claim         string   who restores it; has a TTL
  KEYS[5] lately        zset     the sessions spilled last, by when they were used

  ARGV[1] seq                    of the session as its stub was read
  ARGV[2] object                 ULID of the object its data was in
  ARGV[3] token                  of the claim; empty = none
  ARGV[4] fill                   the thousandths of the tenant's share that hot sessions may then fill
  ARGV[5] restoreUs              what it took so far, microseconds
  ARGV[6..] fields               `d:<key>` and a text, for each data key

  Returns { outcome 1 restored|0 it is another by now|2 there is no room, bytes of hot sessions, share, epoch of the share, what is
  needed, and of a tenant whose memory is full the bytes used, what is needed and the limit, else zeros }.

  Cost: O(bytes) and O(log n) of the index. 14 inner calls.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
--- @include "includes/session-share.lua"
--- @include "includes/spill-counters.lua"
local index, session = KEYS[2], KEYS[3]
local text, cold = stored_session(session)
local head = text and cold and read_session(text)
local place = head and read_place(text, head)
local function give_claim_back()
  if ARGV[3] ~= '' and redis.call('GET', KEYS[4]) == ARGV[3] then redis.call('UNLINK', KEYS[4]) end
end
if not place or head.seq ~= tonumber(ARGV[1]) or string.sub(place.object, 1, 26) ~= ARGV[2] or head.expires <= nowMs then
  give_claim_back()
  return { 0, left.hotBytes, 0, 0, 0, 0, 0, 0 }
end
local meta, stubCharge, ulid = string.sub(text, place.metaFrom), head.charged, ulid_of(session)
if meta ~= '' then meta = '\n' .. meta end
local around = #session + 1 + #meta + SESSION_OVERHEAD_BYTES
local fields = { 'h', '' }
for i = 6, #ARGV, 2 do
  around = around + #ARGV[i] + #ARGV[i + 1]
  fields[#fields + 1] = ARGV[i]
  fields[#fields + 1] = ARGV[i + 1]
end
fields[2] = session_line(head, around) .. meta
local share, epoch = session_share(KEYS[1])
local memoryLimit = tonumber(string.match(redis.call('HGET', KEYS[1], 'h'), '^h1,%a+,%d+,%d+,%d+,%d+,(%d+),%d+,%d+$'))
local grows = head.charged - stubCharge
local full = grows > 0 and left.memory + grows > memoryLimit
if full or left.hotBytes + head.charged > share * ARGV[4] / 1000 then
  give_claim_back()
  local used, more, limit = left.memory, grows, memoryLimit
  if not full then used, more, limit = 0, 0, 0 end
  return { 2, left.hotBytes, share, epoch, head.charged, used, more, limit }
end
-- First what needs memory: Redis looks whether it has any only before the first write of a script.
local come = { 0, session_access_member(head.access, ulid), 0, doomed_session_member(place.object, nowMs) }
local told = session_change_member(left, head.seq, session_key_member(head, ulid))
if told then
  come[5], come[6] = 0, told
end
redis.call('ZADD', index, unpack(come))
redis.call('UNLINK', session)
redis.call('HSET', session, unpack(fields))
give_claim_back()
redis.call('ZREM', KEYS[5], ulid)
left.memory = left.memory + head.charged - stubCharge
left.hotBytes = left.hotBytes + head.charged
left.spilled, left.spilledBytes = math.max(0, left.spilled - 1), math.max(0, left.spilledBytes - place.bytes)
left.storage = math.max(0, left.storage - place.bytes)
more = count_moves(KEYS[1], more, { 0, 1, 0, 1, 0, ARGV[5] })
--- @include "includes/close-stock.lua"
return { 1, left.hotBytes, share, epoch, 0, 0, 0, 0 }
