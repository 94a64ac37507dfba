-- Open reservations. Field `r` of the gate has their sums, and what was committed of bytes kept elsewhere:
--   r1,<held memory>,<held storage>,<held transfer>,<committed memory>,<committed storage>
-- Field `q:<id>` of the gate is one reservation; of operations, `minute` is the one they were counted in, else it is 0:
--   q1,<m|s|t|o>,<amount>,<abandoned at, ms>,<minute>
-- The sorted set `holds`, KEYS[2] where this is included, has each as <id>,<m|s|t|o>,<amount>, scored by when it is
-- abandoned. Operations (o) stand there too, and are not in `r`: they were counted when they were reserved.

-- What is held once something was freed in this run: the text the script began with is old then.
local heldNow

local function read_held(text)
  if heldNow then return heldNow end
  local memory, storage, transfer, committedMemory, committedStorage =
    string.match(text or '', '^r1,(%d+),(%d+),(%d+),(%d+),(%d+)$')
  return {
    m = tonumber(memory or 0), s = tonumber(storage or 0), t = tonumber(transfer or 0),
    committedM = tonumber(committedMemory or 0), committedS = tonumber(committedStorage or 0),
  }
end

local function write_held(held)
  return string.format('r1,%d,%d,%d,%d,%d', held.m, held.s, held.t, held.committedM, held.committedS)
end

-- Frees what was abandoned, 500 at most, before anybody is refused because of it. Gives the sums that are left, and how
-- many were freed.
local function free_abandoned(gateKey, holdsKey, text, nowMs)
  local held = read_held(text)
  local abandoned = redis.call('ZRANGEBYSCORE', holdsKey, '-inf', string.format('%d', nowMs), 'LIMIT', 0, 500)
  if #abandoned == 0 then return held, 0 end
  local fields = {}
  for i, member in ipairs(abandoned) do
    local id, resource, amount = string.match(member, '^([^,]+),(%a),(%d+)$')
    if held[resource] then held[resource] = math.max(0, held[resource] - amount) end
    fields[i] = 'q:' .. id
  end
  redis.call('ZREM', holdsKey, unpack(abandoned))
  redis.call('HDEL', gateKey, unpack(fields))
  redis.call('HSET', gateKey, 'r', write_held(held))
  heldNow = held
  return held, #abandoned
end
