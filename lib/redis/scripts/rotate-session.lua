--[[
  Give a session a new id through the tenant's gate, and perhaps a user: another secret behind the same ULID. The old id is dead from
  then on; the data stays where it is.

  Why a script: header, index, counters and tombstone change together: at any time exactly one of the two ids is good. A tombstone
  and a longer user take memory, so limits are checked as for any write.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] session       hash     the session; a string, its stub, when its data is in S3
  KEYS[4] index         zset     the tenant's index
  KEYS[5] dead          zset     the tenant's terminated sessions, by the end of their absolute lifetime

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] secret                 the second part of the old id
  ARGV[7] newSecret              the second part of the new id
  ARGV[8] condition              the version it must have; empty = any
  ARGV[9] op                     id of this operation, 10 hex digits: the same again is a replay, answered and not metered
  ARGV[10] changesUser           1 = the session becomes that user's
  ARGV[11] user                  whose it becomes, escaped; empty = nobody's

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, header, metadata as stored or
  empty }; outcome 0 there is none, 1 done, 3 it has another version, 4 replay, 9 it cannot be read; nothing changed and nothing
  metered: 5 memory is full: then used, held, what is needed and the limit follow, in bytes, 10 the share of the session memory is
  full: then bytes of hot sessions, share, epoch of the share and what is needed follow; or a refusal of the gate.

  Cost: O(log n) of the index. 8 inner calls; 9 when it grows.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local session, index, dead, op = KEYS[3], KEYS[4], KEYS[5], ARGV[9]
local text, cold = stored_session(session)
local head = text and read_session(text)
local place = head and cold and read_place(text, head)
if text and (not head or (cold and not place)) then return { OK, level, minuteOps, nowMs, opm, burst, own, 9 } end
local meta = head and string.sub(text, place and place.metaFrom or head.length + 2)
local outcome, line = 0, ''
if head and head.secret == ARGV[7] and version_of_operation(head, op) then
  return { OK, level, minuteOps, nowMs, opm, burst, own, 4, string.sub(text, 1, head.length), meta or '' }
end
if head and head.secret == ARGV[6] then
  local left = read_stock(stock, nowMs)
  if head.expires <= nowMs then
    forget_session(left, session, index, head, place or nil, nowMs)
    stock = write_stock(left)
  elseif ARGV[8] ~= '' and tonumber(ARGV[8]) ~= head.version then
    outcome, line = 3, string.sub(text, 1, head.length)
  else
    outcome = 1
    local ulid, length, before = ulid_of(session), head.length, head.charged
    local listed = session_key_member(head, ulid)
    local old = ulid .. '-' .. head.secret
    local seq = head.seq
    left.seq = left.seq + 1
    if ARGV[10] == '1' then head.user = ARGV[11] end
    head.secret, head.version, head.seq, head.ops = ARGV[7], head.version + 1, left.seq, with_operation(head.ops, op)
    local _, gone, come = used_now(text, head, ulid, not cold, nowMs, left)
    line = session_line(head, before - length)
    local needed = head.charged - before
    local grown = left.memory + TOMBSTONE_BYTES + needed
    if gate[4] or grown > memoryLimit + 0 then
--- @include "includes/holds.lua"
--- @include "includes/check-memory.lua"
    end
    if needed > 0 and not cold then
--- @include "includes/session-share.lua"
      local share, epoch = session_share(KEYS[1])
      if left.hotBytes + needed > share then
        return { OK, level, minuteOps, nowMs, opm, burst, own, 10, left.hotBytes, share, epoch, needed }
      end
    end

    redis.call('ZADD', dead, string.format('%d', head.created + head.life), old)
    if cold then
      redis.call('SET', session, line .. string.sub(text, length + 1))
    else
      redis.call('HSET', session, 'h', line .. string.sub(text, length + 1))
      left.hotBytes = left.hotBytes + needed
    end
    gone, come = gone or {}, come or {}
    if session_key_member(head, ulid) ~= listed then
      gone[#gone + 1] = listed
      come[#come + 1] = 0
      come[#come + 1] = session_key_member(head, ulid)
      local told = session_change_member(left, seq, listed)
      if told then
        come[#come + 1] = 0
        come[#come + 1] = told
      end
    end
    -- Under another user's name it was never told of, whenever it was written last.
    local told = session_change_member(left, session_key_member(head, ulid) == listed and seq or 0, session_key_member(head, ulid))
    if told then
      come[#come + 1] = 0
      come[#come + 1] = told
    end
    if #gone > 0 then redis.call('ZREM', index, unpack(gone)) end
    if #come > 0 then redis.call('ZADD', index, unpack(come)) end
    left.memory, left.kept = grown, left.kept + TOMBSTONE_BYTES
    stock = write_stock(left)
  end
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, line, meta or '' }
