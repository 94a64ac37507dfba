--[[
  Terminate sessions through the tenant's gate: one by its id, or some of a user. Their tombstones stay for as long as they could
  have lived: nothing brings them back.

  Why a script: record, stub, index, counters and tombstone change together: no writer comes in between.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] dead          zset     the tenant's terminated sessions, by the end of their absolute lifetime
  KEYS[3] index         zset     the tenant's index
  KEYS[4..] sessions    hash     the sessions; strings, their stubs, when their data is in S3

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] dry                    1 = only tell what would be done
  ARGV[7] user                   whose they must be, escaped, when their secrets are not known; empty = they are
  ARGV[8..] secrets              of each session; with a user none, or of each the secret that spares it, else empty

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, a digit for each: 0 there is none|1
  terminated now|2 before|9 it cannot be read }, or a refusal of the gate. The same again answers 2, and is metered again.

  Cost: O(sessions * log n) of the index. 3 inner calls, and 4 for all; up to 3 a session, call it with at most 100.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local dead, index, dry, user = KEYS[2], KEYS[3], ARGV[6] == '1', ARGV[7]
local left
local done, records, members, tombstones, doomed = {}, {}, {}, {}, {}
for i = 4, #KEYS do
  local session, secret = KEYS[i], ARGV[i + 4]
  local ulid = ulid_of(session)
  local text, cold = stored_session(session)
  local head = text and read_session(text)
  local place = head and cold and read_place(text, head)
  local outcome = 0
  if text and (not head or (cold and not place)) then
    outcome = 9
  elseif head and (user == '' and head.secret == secret or user ~= '' and head.user == user and head.secret ~= secret) then
    left = left or read_stock(stock, nowMs)
    if head.expires > nowMs then outcome = 1 end
    records[#records + 1] = session
    members[#members + 1] = session_key_member(head, ulid)
    members[#members + 1] = session_expiry_member(head.expires, ulid)
    members[#members + 1] = session_access_member(head.access, ulid)
    -- One that has expired is none: nobody ends it, and a second call finds none either.
    if outcome == 1 then
      tombstones[#tombstones + 1] = string.format('%d', head.created + head.life)
      tombstones[#tombstones + 1] = ulid .. '-' .. head.secret
      left.memory, left.kept = left.memory + TOMBSTONE_BYTES, left.kept + TOMBSTONE_BYTES
    end
    if place then
      doomed[#doomed + 1] = 0
      doomed[#doomed + 1] = doomed_session_member(place.object, nowMs)
    end
    local told = outcome == 1 and session_change_member(left, head.seq, session_key_member(head, ulid))
    if told then
      doomed[#doomed + 1] = 0
      doomed[#doomed + 1] = told
    end
    uncount_session(left, head, place or nil)
  elseif not text and user == '' and redis.call('ZSCORE', dead, ulid .. '-' .. secret) then
    outcome = 2
  end
  done[#done + 1] = outcome
end
if left and not dry then
  redis.call('UNLINK', unpack(records))
  redis.call('ZREM', index, unpack(members))
  if #tombstones > 0 then redis.call('ZADD', dead, unpack(tombstones)) end
  if #doomed > 0 then redis.call('ZADD', index, unpack(doomed)) end
  left.seq = left.seq + 1
  stock = write_stock(left)
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, table.concat(done) }
