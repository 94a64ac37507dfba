--[[
  Add an API key to a tenant.

  Why a script: the limit on keys, the key's record and the field the gate reads are one step.

  KEYS[1] record        string   the tenant, JSON
  KEYS[2] gate          hash     the tenant's limits, counters and API keys
  KEYS[3] apiKeys       hash     key id -> `<sha256>,<state>,<revoked ms>,<JSON>`

  ARGV[1] id                     the key's id
  ARGV[2] keyHash                SHA-256 of the key, hex
  ARGV[3] field                  what the gate keeps of it
  ARGV[4] json                   the key's record
  ARGV[5] maxKeys                keys a tenant may have

  Returns { 1 } added, { 2 } no such tenant, { 3 } too many keys, { 4 } it was revoked, and stays so. Added again under an
  id that exists, the new secret takes the place of the old one: its first answer never arrived.

  Cost: O(1), at most 6 inner calls.
]]
if redis.call('EXISTS', KEYS[1]) == 0 then return { 2 } end
local old = redis.call('HGET', KEYS[3], ARGV[1])
if not old and redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[5]) then return { 3 } end
if old and string.match(old, '^%x+,(%a)') == 'r' then return { 4 } end
if old then redis.call('HDEL', KEYS[2], 'k:' .. string.match(old, '^%x+')) end
redis.call('HSET', KEYS[2], 'k:' .. ARGV[2], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2] .. ',a,0,' .. ARGV[4])
return { 1 }
