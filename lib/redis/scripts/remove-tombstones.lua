--[[
  Remove tombstones of sessions that could not live any more.

  Why a script: the byte counter must equal what is stored at any time.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] dead          zset     the tenant's terminated sessions, by the end of their absolute lifetime

  ARGV[1] limit                  how many at most

  Returns { removed, bytes freed }.

  Cost: O(removed * log n). 6 inner calls.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%d', nowMs), 'LIMIT', 0, ARGV[1])
if #ended == 0 then return { 0, 0 } end
redis.call('ZREM', KEYS[2], unpack(ended))
left.memory = math.max(0, left.memory - #ended * TOMBSTONE_BYTES)
left.kept = math.max(0, left.kept - #ended * TOMBSTONE_BYTES)
--- @include "includes/close-stock.lua"
return { #ended, #ended * TOMBSTONE_BYTES }
