--[[
  Let a caller write an object in S3 that is to become a cache entry's value, through the tenant's gate: name it, so that it is
  found and deleted when it is not taken into use.

  Why a script: who may not store the entry, or has no room for it, must leave nothing in S3.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] entry         string   the entry it is for: an object it has makes way
  KEYS[4] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] ulid                   of the object, never used before
  ARGV[7] bytes                  of the object
  ARGV[8] forMs                  how long it may stand unused, ms
  ARGV[9] meter                  1 = an operation; 0 = part of one that is metered when it stores the entry

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome, until ms }; outcome 1: it may
  be written, and is deleted at that time; 8 storage is full, nothing changed and nothing metered: then used, held, what is needed
  and the limit follow, in bytes; or a refusal of the gate.

  Cost: O(log n) of the index. 4 inner calls, 5 when it is metered.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/entry.lua"
local left = read_stock(stock, nowMs)
local text = redis.call('GETRANGE', KEYS[3], 0, HEAD_BYTES - 1)
local head = text ~= '' and read_head(KEYS[3], text, nowMs) or nil
local grownStorage = left.storage + ARGV[7] - (head and blob_bytes(head) or 0)
if gate[4] or grownStorage > storageLimit + 0 then
--- @include "includes/holds.lua"
--- @include "includes/check-storage.lua"
end
local untilMs = nowMs + ARGV[8]
redis.call('ZADD', KEYS[4], 0, doomed_member(ARGV[6], untilMs))
if ARGV[9] == '1' then
--- @include "includes/close-gate.lua"
end
return { OK, level, minuteOps, nowMs, opm, burst, own, 1, untilMs }
