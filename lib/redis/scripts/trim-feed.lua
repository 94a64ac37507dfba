--[[
  Forget changes that every checkpoint knows of, some at a time; or end the feed: then the next checkpoint reads all.

  Why a script: that the feed does not reach back any more is said before the first of its members goes, so a checkpoint never
  takes a feed for whole that is not.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index

  ARGV[1] epoch                  changes told of under an earlier one are forgotten; 0 = all are, and the feed ends
  ARGV[2] limit                  members removed at most

  Returns { members removed }; fewer than the limit: none is left.

  Cost: O(limit * log n) of the index, at most 6 inner calls.
]]
--- @include "includes/open-stock.lua"
local epoch, before = tonumber(ARGV[1]), 'w\1'
if epoch == 0 then
  if left.feedEpoch > 0 then
    left.feedSeq, left.feedEpoch = 0, 0
--- @include "includes/close-stock.lua"
    redis.call('HDEL', KEYS[1], 'f')
  end
else
  before = string.format('w\0%014.0f', epoch)
  local first = string.match(redis.call('HGET', KEYS[1], 'f') or '', '^f1,(%d+)$')
  if first and tonumber(first) < epoch then redis.call('HSET', KEYS[1], 'f', string.format('f1,%d', epoch)) end
end
local members = redis.call('ZRANGE', KEYS[2], '[w\0', '(' .. before, 'BYLEX', 'LIMIT', 0, ARGV[2])
if #members > 0 then redis.call('ZREM', KEYS[2], unpack(members)) end
return { #members }
