--[[
  Put stubs in the place of sessions whose objects are durable, of each only if it is still the one that was claimed.

  Why a script: a session used, changed or terminated meanwhile must stay as it is, and the counters must equal what is stored.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3] lately        zset     the sessions spilled last, by when they were used
  KEYS[4..] records     hash     the sessions, then as many claims: strings with a TTL

  ARGV[1] count                  how many sessions
  ARGV[2] token                  of the claim
  ARGV[3] until                  when unused objects are deleted, ms, as it stands in the index
  ARGV[4] spillUs                what it took so far, microseconds
  ARGV[5..] places               for each session: seq and access as they were claimed, object ULID, object bytes, sha256, raw bytes

  Returns { bytes of hot sessions then, a digit for each: 1 spilled|0 it is another by now|2 the tenant's storage is full|3 its
  object is not waiting any more }.

  Cost: O(sessions * log n) of the index. 6 inner calls a session, and 9 for all; call it with at most 100.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
--- @include "includes/spill-counters.lua"
local index, lately, count = KEYS[2], KEYS[3], tonumber(ARGV[1])
local storageLimit = tonumber(string.match(redis.call('HGET', KEYS[1], 'h'), '^h1,%a+,%d+,%d+,%d+,%d+,%d+,(%d+),%d+$'))
local done, removed, latest, claims, told = {}, {}, {}, {}, {}
local spilled = 0
for i = 1, count do
  local session, at = KEYS[3 + i], i * 6 - 1
  local ulid = ulid_of(session)
  local text, cold = stored_session(session)
  local head = text and not cold and read_session(text)
  local object = ARGV[at + 2] .. '.' .. ulid
  local waits = doomed_session_member(object, ARGV[3])
  local outcome = 0
  if head and head.seq == tonumber(ARGV[at]) and head.access == ARGV[at + 1] then
    outcome = 1
    if left.storage + ARGV[at + 3] > storageLimit then outcome = 2 end
    if ARGV[3] + 0 <= nowMs or not redis.call('ZSCORE', index, waits) then outcome = 3 end
  end
  if outcome == 1 then
    local hotCharge = head.charged
    local behind = string.format(
      '\n%s,%s,%s,%s,%d,%d,%d,-\n%s', object, ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], hotCharge, head.version, head.seq,
      string.sub(text, head.length + 2)
    )
    local line = session_line(head, #session + #behind + STUB_OVERHEAD_BYTES)
    -- First what needs no memory.
    redis.call('UNLINK', session)
    redis.call('SET', session, line .. behind)
    removed[#removed + 1] = waits
    removed[#removed + 1] = session_access_member(head.access, ulid)
    local change = session_change_member(left, head.seq, session_key_member(head, ulid))
    if change then
      told[#told + 1] = 0
      told[#told + 1] = change
    end
    latest[#latest + 1] = tonumber(head.access, 16)
    latest[#latest + 1] = ulid
    left.memory = left.memory + head.charged - hotCharge
    left.hotBytes = math.max(0, left.hotBytes - hotCharge)
    left.spilled, left.spilledBytes = left.spilled + 1, left.spilledBytes + ARGV[at + 3]
    left.storage = left.storage + ARGV[at + 3]
    spilled = spilled + 1
  end
  local claim = KEYS[3 + count + i]
  if redis.call('GET', claim) == ARGV[2] then claims[#claims + 1] = claim end
  done[i] = outcome
end
if #claims > 0 then redis.call('UNLINK', unpack(claims)) end
if #removed > 0 then redis.call('ZREM', index, unpack(removed)) end
if #told > 0 then redis.call('ZADD', index, unpack(told)) end
if spilled > 0 then
  redis.call('ZADD', lately, unpack(latest))
  redis.call('ZREMRANGEBYRANK', lately, 0, -201)
  more = count_moves(KEYS[1], more, { spilled, 0, 1, 0, ARGV[4], 0 })
--- @include "includes/close-stock.lua"
end
return { left.hotBytes, table.concat(done) }
