--[[
  Move the value of a cache entry to S3 or back, if it is still the one the caller read. Its ETag, lifetime and seq stay.

  Why a script: an entry written or removed meanwhile must stay as it is, and the counters must equal what is stored.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3] entry         string   the entry: head line, metadata, payload

  ARGV[1] seq                    of the entry as it was read
  ARGV[2] metaBytes              length of the metadata at the start of `body`
  ARGV[3] tagBytes               length of the tags at the start of the metadata
  ARGV[4] blob                   - the value comes into `body`; or ulid.bytes of its object in S3
  ARGV[5] blobUntil              when that object is to be deleted, ms, as it stands among what is to be deleted; 0 of -
  ARGV[6] codec                  how the value is packed
  ARGV[7] memoryShare            the thousandths of the memory quota that may be used afterwards
  ARGV[8] body                   metadata and payload

  Returns { outcome 1 moved|0 it is another entry by now|2 there is no room|3 the object is not waiting any more, bytes of memory
  freed }.

  Cost: O(log n) of the index. 9 inner calls.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/store-entry.lua"
local index, entry, blob = KEYS[2], KEYS[3], ARGV[4]
local text = redis.call('GETRANGE', entry, 0, 511)
local head = text ~= '' and read_head(entry, text, nowMs) or nil
if not head or head.gone or head.seq ~= tonumber(ARGV[1]) or head.access == '' or (head.blob == '-') == (blob == '-') then
  return { 0, 0 }
end
if blob ~= '-' then
  local waits = ARGV[5] + 0 > nowMs and redis.call('ZSCORE', index, doomed_member(blob, ARGV[5]))
  if not waits then return { 3, 0 } end
end
local limits = redis.call('HMGET', KEYS[1], 'h', 'v')
local memoryLimit, storageLimit = string.match(limits[1], '^h1,%a+,%d+,%d+,%d+,%d+,(%d+),(%d+),%d+$')
if limits[2] then memoryLimit = within_share(limits[2], memoryLimit + 0, left) end
local op, mark = string.match(head.op, '^(.*)(%a)$')
local item = {
  metaBytes = ARGV[2], tagBytes = ARGV[3], rawBytes = string.format('%d', head.rawBytes), blob = blob, digest = head.digest,
  op = op, codec = ARGV[6], body = ARGV[8],
}
local before, seq = left.memory, left.seq
local line, charged = entry_line(entry, item, head.expires, head.fresh, head.seq, head.updated + 0, mark)
local added, removed = {}, {}
count_entry(left, entry, item, head.expires, charged, head.access, head, head.charged, nowMs, added, removed)
left.seq = seq
if blob == '-' and left.memory > memoryLimit * ARGV[7] / 1000 then return { 2, 0 } end
if blob ~= '-' and left.storage > storageLimit + 0 then return { 2, 0 } end
if blob ~= '-' then removed[#removed + 1] = doomed_member(blob, ARGV[5]) end
-- First what needs no memory: a Redis that has none left refuses the first write of a script if that needs some.
if #removed > 0 then redis.call('ZREM', index, unpack(removed)) end
redis.call('SET', entry, entry_text(line, item, head.access))
redis.call('ZADD', index, unpack(added))
--- @include "includes/close-stock.lua"
return { 1, before - left.memory }
