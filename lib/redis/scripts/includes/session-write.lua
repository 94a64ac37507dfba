-- Writing and removing sessions: header, charge, index, counters. After session-head.lua.

-- Charged for a session beyond its key and stored bytes: index members, allocation, the overheads of key and hash.
local SESSION_OVERHEAD_BYTES, STUB_OVERHEAD_BYTES, TOMBSTONE_BYTES = 832, 384, 128
local OPERATIONS = 3

-- The header as text. `around`: what is charged besides it, bytes. Sets `charged`.
local function session_line(head, around)
  local line = string.format(
    's1,%s,%d,%s,%x,%09x,%x,%%,%d,%d,%d,%s,',
    head.access, head.version, head.secret, head.created, head.idle, head.life, head.dataBytes, head.dataKeys, head.seq,
    head.ops
  ) .. head.user
  -- The charge counts its own eight digits. A new idle time does not change it.
  head.charged = around + #line + 7
  return (string.gsub(line, '%%', string.format('%08d', head.charged), 1))
end

-- The last operations with one more.
local function with_operation(ops, op)
  return op .. string.sub(ops, 1, #op * (OPERATIONS - 1))
end

-- The version an operation led to, when it is one of the last.
local function version_of_operation(head, op)
  for i = 0, OPERATIONS - 1 do
    if string.sub(head.ops, i * #op + 1, (i + 1) * #op) == op then return head.version - i end
  end
  return nil
end

-- The member that has the cleaning delete a session's object, from `atMs` on.
local function doomed_session_member(object, atMs)
  return string.format('d\0%014.0f\0', atMs) .. object
end

-- Takes the session from the stock. `place` of a stub, nil of a hot one.
local function uncount_session(stock, head, place)
  stock.sessions = math.max(0, stock.sessions - 1)
  stock.memory = math.max(0, stock.memory - head.charged)
  if place then
    stock.spilled = math.max(0, stock.spilled - 1)
    stock.spilledBytes = math.max(0, stock.spilledBytes - place.bytes)
    stock.storage = math.max(0, stock.storage - place.bytes)
  else
    stock.hotBytes = math.max(0, stock.hotBytes - head.charged)
  end
end

-- Removes the session with its index members, and takes it from the stock. 2 inner calls; 3 of a stub, or when a checkpoint is to
-- be told of it.
local function forget_session(stock, record, index, head, place, nowMs)
  local ulid = ulid_of(record)
  redis.call('UNLINK', record)
  redis.call(
    'ZREM', index, session_key_member(head, ulid), session_expiry_member(head.expires, ulid),
    session_access_member(head.access, ulid)
  )
  local come = {}
  if place then come = { 0, doomed_session_member(place.object, nowMs) } end
  local told = head.expires > nowMs and session_change_member(stock, head.seq, session_key_member(head, ulid))
  if told then
    come[#come + 1] = 0
    come[#come + 1] = told
  end
  if #come > 0 then redis.call('ZADD', index, unpack(come)) end
  uncount_session(stock, head, place)
end

-- What stands at `record`: its header with what follows it, and whether that is a stub; false when nothing does. 1 inner call, 2
-- of a stub.
local function stored_session(record)
  local text = redis.pcall('HGET', record, 'h')
  if type(text) == 'table' then return redis.call('GET', record), true end
  return text, false
end
