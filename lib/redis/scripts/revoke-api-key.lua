--[[
  Revoke an API key: refused from the next request on.

  Why a script: the key's record and the field the gate reads change together.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] apiKeys       hash     key id -> `<sha256>,<state>,<revoked ms>,<JSON>`

  ARGV[1] id                     the key's id

  Returns { 1 } revoked, also when it was before; { 0 } no such key.

  Cost: O(1), at most 5 inner calls.
]]
local stored = redis.call('HGET', KEYS[2], ARGV[1])
if not stored then return { 0 } end
local hash, state, json = string.match(stored, '^(%x+),(%a),%d+,(.*)$')
if state == 'r' then return { 1 } end
local field = redis.call('HGET', KEYS[1], 'k:' .. hash)
local time = redis.call('TIME')
local nowMs = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'k:' .. hash, (string.gsub(field, '^(k[12],[^,]*,%d+),%a', '%1,r')))
redis.call('HSET', KEYS[2], ARGV[1], hash .. ',r,' .. nowMs .. ',' .. json)
return { 1 }
