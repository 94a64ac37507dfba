--[[
  Store cache entries of a tenant for administration: by the tenant's memory quota, and not as an operation of the tenant.

  Why a script: memory budget, conditions, values, index and counters change together or not at all.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] index         zset     the tenant's index
  KEYS[4..] entries     string   the entries, none twice: head line, metadata, payload

  ARGV[1] context                context version the caller knows
  ARGV[2] op                     id of this operation: the same again is a replay, answered for each entry
  ARGV[3] dry                    1 = nothing is stored, and the outcomes are those it would have
  ARGV[4..] items                of each entry eleven: condition, ttl ms (or `@` and when it is gone, a comma, until when it is
                                 fresh: Unix ms, 0 never), grace ms, metadata bytes, tags bytes, raw bytes, digest, codec, body,
                                 blob, blobUntil; as of set-cache-entry

  Returns { 1, now ms, of each entry four: outcome, expires ms, fresh until ms, digest }; { 2, now ms, context version, generation,
  context } when the caller's is old, { 0, status } when the tenant is deleted, { 0, 0 } when there is none. Then nothing was
  changed.
  Outcomes as of set-cache-entries, and 8 storage is full, 9 the object in S3 is not waiting any more.

  Cost: O(entries * log n) of the index. 7 inner calls and one for each entry; one more for each while something is invalidated
  and not reclaimed, and for each object in S3. Call it with at most 100.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/store-entry.lua"
--- @include "includes/holds.lua"
local fields = redis.call('HMGET', KEYS[1], 'h', 'r', 'v', 'x')
local status, version, generation, memoryLimit, storageLimit =
  string.match(fields[1], '^h1,(%a+),(%d+),(%d+),%d+,%d+,(%d+),(%d+),')
if status == 'deleted' then return { 0, status } end
if version ~= ARGV[1] then return { 2, nowMs, version, generation, fields[4] } end
local index, op, firstItem, held, pending = KEYS[3], ARGV[2], 3, fields[2], fields[3]
--- @include "includes/store-entries.lua"
if #pairsToSet > 0 and ARGV[3] ~= '1' then
--- @include "includes/write-entries.lua"
--- @include "includes/close-stock.lua"
end
return { 1, nowMs, unpack(outcomes) }
