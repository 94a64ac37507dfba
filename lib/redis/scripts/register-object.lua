--[[
  Name an object in S3 that is about to be written, so that it is found and deleted when nobody takes it into use.

  Why a script: when it may be deleted is told by Redis' clock, and what is gone must not get an index again: a tenant, or a
  generation of its data that another has taken the place of.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index

  ARGV[1] object                 its ULID, never used before; of a session's object with that of the session behind a dot
  ARGV[2] forMs                  how long it may stand unused, ms

  Returns when it is to be deleted, ms; 0: there is no such tenant, or its data is of a later generation than `index`.

  Cost: O(log n) of the index, 3 inner calls.
]]
local current = tonumber(string.match(redis.call('HGET', KEYS[1], 'h') or '', '^h1,%a+,%d+,(%d+),'))
if not current or tonumber(string.match(KEYS[2], '}:g(%d+):')) < current then return 0 end
local time = redis.call('TIME')
local untilMs = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
redis.call('ZADD', KEYS[2], 0, string.format('d\0%014.0f\0', untilMs) .. ARGV[1])
return untilMs
