--[[
  Add an API key to a tenant; as a rotation, let the key it takes the place of end after an overlap.

  Why a script: the limit on keys, the key's record, the field the gate reads and the audit entry are one step.

  KEYS[1] record        string   the tenant: `t2,<rev>,<op>\n<JSON>`
  KEYS[2] gate          hash     the tenant's limits, counters and API keys
  KEYS[3] apiKeys       hash     key id -> `<sha256>,<state>,<fence, or revoked ms>,<JSON>`

  ARGV[1] id                     the key's id
  ARGV[2] keyHash                SHA-256 of the key, hex
  ARGV[3] field                  what the gate keeps of it
  ARGV[4] json                   the key's record
  ARGV[5] maxKeys                keys a tenant may have
  ARGV[6] fence                  grows with every takeover of this call
  ARGV[7] limit                  the key's own limit, as the gate keeps it; empty = none
  ARGV[8] entry                  the audit entry, JSON on one line
  ARGV[9] rotates                id of the key it takes the place of; empty = none
  ARGV[10] rotated               that key's record as the caller read it
  ARGV[11] overlapMs             how long that key still works, unless it expires sooner

  Returns { 1, outbox } added; { 2 } no such tenant, { 3 } too many keys, { 4 } it was revoked and stays so, { 5 } the tenant
  is deleted, { 6 } a run that took this call over made it, { 7 } no such key to rotate, { 8 } that key changed meanwhile,
  { 9 } that key is revoked or has expired. Added again under an id that exists, the new secret takes the place of the old
  one, whose answer never arrived; nothing else is done twice.

  Cost: O(1), at most 9 inner calls; at the limit O(maxKeys), 4 more.
]]
-- Keys that can no longer be used are kept as long, so that their end can be looked up.
local DEAD_KEPT_MS = 2592000000
local gate = redis.call('HMGET', KEYS[2], 'h', 'o')
if redis.call('EXISTS', KEYS[1]) == 0 then return { 2 } end
if string.match(gate[1], '^h1,(%a+)') == 'deleted' then return { 5 } end
local before = redis.call('HGET', KEYS[3], ARGV[1])
local oldHash, oldState, oldFence = string.match(before or '', '^(%x+),(%a),(%d+)')
if oldState == 'r' then return { 4 } end
if before and ARGV[6] + 0 < oldFence + 0 then return { 6 } end

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = { 'k:' .. ARGV[2], ARGV[3] }
if not before and ARGV[9] ~= '' then
  local rotated = redis.call('HGET', KEYS[3], ARGV[9])
  if not rotated then return { 7 } end
  if rotated ~= ARGV[10] then return { 8 } end
  local name = 'k:' .. string.match(rotated, '^%x+')
  local head, expires, tail = string.match(redis.call('HGET', KEYS[2], name) or '', '^(k[12],[^,]*,)(%d+)(,a,.*)$')
  if not head or expires ~= '0' and expires + 0 <= nowMs then return { 9 } end
  local ends = nowMs + ARGV[11]
  if expires ~= '0' then ends = math.min(ends, expires + 0) end
  fields[3], fields[4] = name, head .. string.format('%d', ends) .. tail
end

if not before and redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[5]) then
  local all = redis.call('HGETALL', KEYS[3])
  local names, ids, goneIds, goneFields = {}, {}, {}, {}
  for i = 1, #all, 2 do
    ids[#ids + 1], names[#names + 1] = all[i], 'k:' .. string.match(all[i + 1], '^%x+')
  end
  for i, text in ipairs(redis.call('HMGET', KEYS[2], unpack(names))) do
    local state, revokedMs = string.match(all[i * 2], '^%x+,(%a),(%d+)')
    local expires = tonumber(string.match(text or '', '^k[12],[^,]*,(%d+)') or 0)
    local deadMs = state == 'r' and revokedMs + 0 or expires > 0 and expires or nowMs
    if deadMs + DEAD_KEPT_MS < nowMs then
      goneIds[#goneIds + 1] = ids[i]
      goneFields[#goneFields + 1] = names[i]
      goneFields[#goneFields + 1] = 'l' .. string.sub(names[i], 2)
    end
  end
  if #goneIds == 0 then return { 3 } end
  redis.call('HDEL', KEYS[3], unpack(goneIds))
  redis.call('HDEL', KEYS[2], unpack(goneFields))
end

if before then redis.call('HDEL', KEYS[2], 'k:' .. oldHash, 'l:' .. oldHash) end
local outbox = gate[2] or ''
if not before then
  outbox = (gate[2] and gate[2] .. '\n' or '') .. ARGV[8]
  fields[#fields + 1], fields[#fields + 2] = 'o', outbox
end
if ARGV[7] ~= '' then fields[#fields + 1], fields[#fields + 2] = 'l:' .. ARGV[2], ARGV[7] end
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2] .. ',a,' .. ARGV[6] .. ',' .. ARGV[4])
return { 1, outbox }
