--[[
  Revoke an API key: refused from the next request on.

  Why a script: the key's record, the field the gate reads and the audit entry change together.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] apiKeys       hash     key id -> `<sha256>,<state>,<fence, or revoked ms>,<JSON>`

  ARGV[1] id                     the key's id
  ARGV[2] entry                  the audit entry, JSON on one line

  Returns { 1, outbox } revoked, also when it was before; { 0 } no such key.

  Cost: O(1), at most 7 inner calls.
]]
local stored = redis.call('HGET', KEYS[2], ARGV[1])
if not stored then return { 0 } end
local hash, state, json = string.match(stored, '^(%x+),(%a),%d+,(.*)$')
local gate = redis.call('HMGET', KEYS[1], 'k:' .. hash, 'o')
if state == 'r' then return { 1, gate[2] or '' } end
local outbox = (gate[2] and gate[2] .. '\n' or '') .. ARGV[2]
local time = redis.call('TIME')
local nowMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
-- Without its field the key is not known to the gate: refused all the same.
if gate[1] then redis.call('HSET', KEYS[1], 'k:' .. hash, (string.gsub(gate[1], '^(k[12],[^,]*,%d+),%a', '%1,r'))) end
redis.call('HDEL', KEYS[1], 'l:' .. hash)
redis.call('HSET', KEYS[1], 'o', outbox)
redis.call('HSET', KEYS[2], ARGV[1], hash .. ',r,' .. nowMs .. ',' .. json)
return { 1, outbox }
