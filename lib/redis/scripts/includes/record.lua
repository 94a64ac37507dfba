-- What all counted records of a tenant have in common: they are charged, listed and ordered by expiry. The kind stands in
-- their key: c a cache entry (entry.lua), l the state of a limit (limit-state.lua), i a call with an `Idempotency-Key`
-- (tenant-call.lua). Key and members of the index are made of the same parts: lib/keys.ts.

-- Charged for a record beyond its key and stored bytes: index members, allocation, the key's own overhead.
local ENTRY_OVERHEAD_BYTES = 200

-- The member that lists the record in the index, from its key.
local function key_member(record)
  local kind, namespace, key = string.match(record, '}:g%d+:(%a):([^:]*):(.*)$')
  return 'k\0' .. kind .. '\0' .. namespace .. '\0' .. key
end

-- The member that orders the record by expiry: its key member with `e`, expiry in the place of `k`.
local function expiry_member(expires, keyMember)
  return string.format('e\0%014.0f', expires) .. string.sub(keyMember, 2)
end

-- What a record is charged, by its bytes as they stand.
local function measured_charge(record)
  return #record + redis.call('STRLEN', record) + ENTRY_OVERHEAD_BYTES
end

-- Removes a record that has no generation with its index members, and takes its bytes from the stock. `indexed`: the expiry it is listed
-- under, 0 none.
local function forget_record(stock, record, index, indexed, charged)
  local keyMember = key_member(record)
  redis.call('UNLINK', record)
  if indexed > 0 then
    redis.call('ZREM', index, keyMember, expiry_member(indexed, keyMember))
  else
    redis.call('ZREM', index, keyMember)
  end
  stock.memory = math.max(0, stock.memory - charged)
  stock.kept = math.max(0, stock.kept - charged)
end

-- The member that tells a checkpoint of a record that is written or removed, by the one that lists it; nil when it was told of
-- since the last one, or there is none yet. `seq`: of the record before, 0 there was none. Made from `feed`, a stock.
local function change_member(feed, seq, keyMember)
  if feed.feedEpoch == 0 or seq > feed.feedSeq then return nil end
  return string.format('w\0%014.0f', feed.feedEpoch) .. string.sub(keyMember, 2)
end
