-- A session's header, the field `h` of a hot one and the first line of a stub. Format: lib/sessions/session-format.ts.
--   s1,<access s, 8 hex>,<expires ms, 14 digits>,<version>,<secret>,<created ms>,<idle ms>,<absolute end ms>,
--   <charged, 10 digits>,<data bytes>,<data keys>,<seq>,<last 4 operations, 12 each, newest first>,<user, escaped>
-- Up to `expires` it has a fixed width. A stub has two lines more: where the data is, and the metadata.
--   <object ULID>.<session ULID then>,<object bytes>,<sha256>,<raw bytes>,<charged while hot>,<version then>,<seq then>,
--   <- or q quarantined>

-- Characters up to the end of `expires`.
local HEAD_START = 26

-- The header at the beginning of `text`; nil when there is none.
local function read_session(text)
  local _, last, access, expires, version, secret, created, idle, absolute, charged, dataBytes, dataKeys, seq, ops, user =
    string.find(
      text,
      '^s1,(%x+),(%d+),(%d+),(%w+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),([%x-]+),([^\n]*)'
    )
  if not last then return nil end
  return {
    access = access, expires = tonumber(expires), version = tonumber(version), secret = secret,
    created = created, idle = tonumber(idle), absolute = tonumber(absolute), charged = tonumber(charged),
    dataBytes = tonumber(dataBytes), dataKeys = tonumber(dataKeys), seq = tonumber(seq), ops = ops, user = user,
    length = last,
  }
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

-- The header again when its session is used now, with the members of the index that go and come; nil while it is too soon for
-- that: recency moves by a hundredth of the idle time. Changes `head`.
local function used_now(text, head, ulid, hot, nowMs)
  local seconds = math.floor(nowMs / 1000)
  if seconds - tonumber(head.access, 16) < math.max(1, head.idle / 100000) then return nil end
  local gone = { session_expiry_member(head.expires, ulid) }
  if hot then gone[2] = session_access_member(head.access, ulid) end
  head.access = string.format('%08x', seconds)
  head.expires = math.min(nowMs + head.idle, head.absolute)
  local come = { 0, session_expiry_member(head.expires, ulid) }
  if hot then
    come[3], come[4] = 0, session_access_member(head.access, ulid)
  end
  text = string.format('s1,%s,%014.0f', head.access, head.expires) .. string.sub(text, HEAD_START + 1)
  return text, gone, come
end
