--[[
  Store one cache entry through the tenant's gate, or refuse and change nothing.

  Why a script: limits, memory budget, condition, value, index and counters change together or not at all.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] entry         string   the entry: head line, metadata, payload
  KEYS[4] index         zset     the tenant's index
  KEYS[5] lease         string   the token of who loads the entry; has a TTL

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] condition              empty = none; absent; exists; or digests one of which must be stored, comma separated
  ARGV[7] token                  lease the value was loaded under; empty = none
  ARGV[8] ttlMs                  how long it is fresh, ms; 0 = never expires
  ARGV[9] graceMs                how long it may be served stale after that, ms
  ARGV[10] metaBytes             length of the metadata at the start of `body`
  ARGV[11] tagBytes              length of the tags at the start of the metadata
  ARGV[12] rawBytes              length of the value before packing
  ARGV[13] blob                  - the value is in `body`; or ulid.bytes of its object in S3, which stands among what is to be
                                 deleted, and is taken from there
  ARGV[14] blobUntil             when the object is to be deleted, ms, as it stands there; 0 = it is in use by this entry
  ARGV[15] digest                of codec, raw length and `body`: also the ETag
  ARGV[16] op                    id of this operation: the same again is a replay, answered and not metered
  ARGV[17] codec                 how the payload is packed
  ARGV[18] body                  metadata and payload

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, expires ms, fresh until ms,
  updated ms }; outcome 1 created, 2 replaced, 3 condition failed, 4 replay of a replacement, 6 of a creation, with the stored
  digest; 7 the lease is lost, then 1 when the entry was written or invalidated since, and the lease is free; 9 the object in S3
  is not waiting any more; 5 memory is full, 8 storage is full, nothing changed and nothing metered: then used, held, what is
  needed and the limit follow, in bytes, of memory also 1 when that limit is the tenant's share; or a refusal of the gate.

  Cost: O(log n) of the index and O(tags). 6 inner calls for a new entry, 7 for one that replaces another; one more while something
  is invalidated and not reclaimed, 2 more with a token, 2 with a blob.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/store-entry.lua"
local entry, index, condition, token = KEYS[3], KEYS[4], ARGV[6], ARGV[7]
local item = {
  ttl = ARGV[8], grace = ARGV[9], metaBytes = ARGV[10], tagBytes = ARGV[11], rawBytes = ARGV[12], blob = ARGV[13],
  digest = ARGV[15], op = ARGV[16], codec = ARGV[17], body = ARGV[18],
}
local exists, head, visible = known_entry(entry, KEYS[1], gate[7], nowMs)

-- The operation id stands in the head with what it did: c created, r replaced.
local replayed = head and string.match(head.op, '^' .. item.op .. '(%a)$')
if replayed then
  return {
    OK, level, minuteOps, nowMs, opm, burst, own, replayed == 'c' and 6 or 4, head.expires, head.fresh,
    tonumber(head.updated), head.digest,
  }
end

local outcome, expires, fresh = 3, 0, 0
if condition_holds(condition, head, visible) then outcome = visible and 2 or 1 end
if outcome ~= 3 and token ~= '' then
  local holds, overtaken = lease_holds(KEYS[5], token, head, item, KEYS[1], gate[7], namespace_of(entry))
  if not holds then outcome, expires = 7, overtaken and 1 or 0 end
end
if outcome < 3 and item.blob ~= '-' and ARGV[14] ~= '0' then
  local waits = ARGV[14] + 0 > nowMs and redis.call('ZSCORE', index, doomed_member(item.blob, ARGV[14]))
  if not waits then outcome = 9 end
end
if outcome < 3 then
  local left = read_stock(stock, nowMs)
  expires, fresh = lifetime_of(item, nowMs)
  local line, charged = entry_line(entry, item, expires, fresh, left.seq + 1, nowMs, visible and 'r' or 'c')
  local oldCharge = exists and charge_of(entry, head) or nil
  local grown = left.memory + charged - (oldCharge or 0)
  local transferBytes = tonumber(item.rawBytes)
  if gate[7] then memoryLimit = within_share(gate[7], memoryLimit, left) end
  local grownStorage = left.storage + blob_bytes(item) - (head and blob_bytes(head) or 0)
  -- What is reserved is looked at where there is something, or no room.
  local overStorage = item.blob ~= '-' and grownStorage > storageLimit + 0
  if gate[4] or grown > memoryLimit + 0 or overStorage or transfer + transferBytes > transferLimit + 0 then
--- @include "includes/holds.lua"
--- @include "includes/check-memory.lua"
    if item.blob ~= '-' then
--- @include "includes/check-storage.lua"
    end
--- @include "includes/check-transfer.lua"
  else
    transfer = transfer + transferBytes
  end

  redis.call('SET', entry, entry_text(line, item, minute))
  local added, removed = {}, {}
  count_entry(left, entry, item, expires, charged, minute, head, oldCharge, nowMs, added, removed)
  if item.blob ~= '-' and ARGV[14] ~= '0' then removed[#removed + 1] = doomed_member(item.blob, ARGV[14]) end
  if #removed > 0 then redis.call('ZREM', index, unpack(removed)) end
  redis.call('ZADD', index, unpack(added))
  if token ~= '' then redis.call('DEL', KEYS[5]) end
  left.bytesIn = left.bytesIn + transferBytes
  stock = write_stock(left)
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, expires, fresh, nowMs }
