-- A session's header: the first line of the field `h` of a hot one, and of a stub. Format: lib/sessions/session-format.ts.
--   s1,<access ms, 11 hex>,<version>,<secret>,<created ms, hex>,<idle ms, 9 hex>,<life ms, hex>,<charged, 8 digits>,<data bytes>,
--   <data keys>,<seq>,<last operations, 10 each, newest first, 3 at most>,<user, escaped>
-- Its metadata follows in a line of its own, if there is any. A stub has one before that: where the data is.
--   <object ULID>.<session ULID>,<object bytes>,<sha256>,<raw bytes>,<charged while hot>,<version then>,<seq then>,
--   <- or q quarantined>

-- Characters up to the end of the access.
local HEAD_START = 14

-- When a session that was used last at `access` ends, ms.
local function end_of(head)
  return math.min(tonumber(head.access, 16) + head.idle, head.created + head.life)
end

-- The header at the beginning of `text`; nil when there is none.
local function read_session(text)
  local _, last, access, version, secret, created, idle, life, charged, dataBytes, dataKeys, seq, ops, user = string.find(
    text, '^s1,(%x+),(%d+),(%w+),(%x+),(%x+),(%x+),(%d+),(%d+),(%d+),(%d+),(%x+),([^\n]*)'
  )
  if not last then return nil end
  local head = {
    access = access, version = tonumber(version), secret = secret, created = tonumber(created, 16),
    idle = tonumber(idle, 16), life = tonumber(life, 16), charged = tonumber(charged), dataBytes = tonumber(dataBytes),
    dataKeys = tonumber(dataKeys), seq = tonumber(seq), ops = ops, user = user, length = last,
  }
  head.expires = end_of(head)
  return head
end

-- Where the data of a stub is; nil when that cannot be read.
local function read_place(text, head)
  local _, last, object, bytes, sha256, rawBytes, hotCharge, mark =
    string.find(text, '^\n(%w+%.%w+),(%d+),([%w_-]+),(%d+),(%d+),%d+,%d+,([-q])\n', head.length + 1)
  if not last then return nil end
  return {
    object = object, bytes = tonumber(bytes), sha256 = sha256, rawBytes = tonumber(rawBytes),
    hotCharge = tonumber(hotCharge), mark = mark, metaFrom = last + 1,
  }
end

-- The ULID in a session's key.
local function ulid_of(record)
  return string.sub(record, -26)
end

local function session_key_member(head, ulid)
  return 'k\0s\0' .. head.user .. '\0' .. ulid
end

local function session_expiry_member(expires, ulid)
  return string.format('e\0%014.0f\0s\0\0', expires) .. ulid
end

local function session_access_member(access, ulid)
  return 'r\0' .. access .. '\0' .. ulid
end

-- The member that tells a checkpoint of a session that changes or goes, as change_member (record.lua) does of others. `feed`: the
-- stock, as text or read.
local function session_change_member(feed, seq, keyMember)
  local feedSeq, feedEpoch
  if type(feed) == 'table' then
    feedSeq, feedEpoch = feed.feedSeq, feed.feedEpoch
  else
    feedSeq, feedEpoch = string.match(feed, ',(%d+),(%d+)$')
  end
  if feedEpoch + 0 == 0 or seq > feedSeq + 0 then return nil end
  return string.format('w\0%014.0f', feedEpoch) .. string.sub(keyMember, 2)
end

-- The header again when its session is used now, with the members of the index that go and come; nil while it is too soon for
-- that: recency moves by a hundredth of the idle time. Changes `head`.
-- `feed`: as of session_change_member.
local function used_now(text, head, ulid, hot, nowMs, feed)
  if nowMs - tonumber(head.access, 16) < math.max(1000, head.idle / 100) then return nil end
  local gone = { session_expiry_member(head.expires, ulid) }
  if hot then gone[2] = session_access_member(head.access, ulid) end
  head.access = string.format('%011x', nowMs)
  head.expires = end_of(head)
  local come = { 0, session_expiry_member(head.expires, ulid) }
  if hot then
    come[3], come[4] = 0, session_access_member(head.access, ulid)
  end
  local told = session_change_member(feed, head.seq, session_key_member(head, ulid))
  if told then
    come[#come + 1] = 0
    come[#come + 1] = told
  end
  return 's1,' .. head.access .. string.sub(text, HEAD_START + 1), gone, come
end
