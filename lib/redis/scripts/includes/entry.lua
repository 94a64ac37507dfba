-- A cache entry's head: its first line, all a script needs to know. Format: lib/cache/entry-format.ts.
--   c1,<check>,<meta bytes>,<expires ms, 0 never>,<updated ms>,<seq>,<charged bytes>,<raw bytes>,<digest>,<op>,<codec>\n
-- Charged for an entry beyond its key and stored bytes: index members, allocation, the key's own overhead.
local ENTRY_OVERHEAD_BYTES = 200

-- The head of a stored entry, or nil. `gone` when it has expired but is still there.
local function read_head(text, atMs)
  local check, metaBytes, expires, updated, number, charged, rawBytes, digest, op = string.match(
    text,
    '^c1,(%x+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),([%w_-]+),([%w_-]+),%a[%w]*\n'
  )
  if not check then return nil end
  expires = tonumber(expires)
  return {
    metaBytes = tonumber(metaBytes), expires = expires, updated = updated, seq = number, charged = tonumber(charged),
    rawBytes = tonumber(rawBytes), digest = digest, op = op, gone = expires > 0 and expires <= atMs,
  }
end

-- The member that lists the entry in the index, from the entry's key: lib/keys.ts writes both.
local function key_member(entry)
  local namespace, key = string.match(entry, '}:g%d+:c:([^:]*):(.*)$')
  return 'k\0c\0' .. namespace .. '\0' .. key
end

-- The member that orders the entry by expiry: its key member with `e`, expiry in the place of `k`.
local function expiry_member(expires, keyMember)
  return string.format('e\0%014.0f', expires) .. string.sub(keyMember, 2)
end

-- What the entry is charged. `head` is nil when it has none, or none to be believed: then its bytes are measured.
local function charge_of(entry, head)
  return head and head.charged or (#entry + redis.call('STRLEN', entry) + ENTRY_OVERHEAD_BYTES)
end

-- Removes the entry with its index members, and takes its bytes from the stock.
local function forget_entry(stock, entry, index, head)
  local keyMember = key_member(entry)
  local charged = charge_of(entry, head)
  redis.call('UNLINK', entry)
  if head and head.expires > 0 then
    redis.call('ZREM', index, keyMember, expiry_member(head.expires, keyMember))
  else
    redis.call('ZREM', index, keyMember)
  end
  stock.memory = math.max(0, stock.memory - charged)
  stock.entries = math.max(0, stock.entries - 1)
end
