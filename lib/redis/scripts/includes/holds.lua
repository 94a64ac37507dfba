-- Open reservations. Field `r` of the gate has their sums, and what was committed of bytes kept elsewhere:
--   r1,<held memory>,<held storage>,<held transfer>,<committed memory>,<committed storage>
-- The sorted set `holds`, KEYS[2] where this is included, has each as <id>,<m|s|t>,<amount>, scored by when it is abandoned, Unix ms.
local function read_held(text)
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

-- Frees what was abandoned, 500 at most, before anybody is refused because of it; gives the sums that are left.
local function free_abandoned(gateKey, holdsKey, text, nowMs)
  local held = read_held(text)
  local abandoned = redis.call('ZRANGEBYSCORE', holdsKey, '-inf', string.format('%d', nowMs), 'LIMIT', 0, 500)
  if #abandoned == 0 then return held end
  for _, member in ipairs(abandoned) do
    local resource, amount = string.match(member, '^[^,]+,(%a),(%d+)$')
    held[resource] = math.max(0, held[resource] - amount)
  end
  redis.call('ZREM', holdsKey, unpack(abandoned))
  redis.call('HSET', gateKey, 'r', write_held(held))
  return held
end
