--[[
  Reclaim a part of a generation of a tenant's data that another has taken the place of, or that was never finished: its records go,
  and objects in S3 that nothing else has wait to be deleted.

  Why a script: an object that the current generation took over must stay, no record may go before its object is known, and a
  restore that makes another generation the current one meanwhile must stop this.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     of the current generation
  KEYS[3] old           zset     the index of the generation that is to go
  KEYS[4] lately        zset     its sessions spilled last
  KEYS[5] generations   zset     generations besides the current one: 0 = it is being loaded, else when it was retired, ms
  KEYS[6..] records     string   some of the old generation; sessions are hashes

  ARGV[1] abandoned              1 = nobody loads it any more: it goes although it is being loaded
  ARGV[2..] members              for each record: the member of `old` that lists it

  An object goes into members `d` of `index`, as of the newest retirement: a checkpoint of before may name it. It is left when it
  stands in a member `o\0<object>` of `index`; of a generation that was being loaded, in one of its own: it took over what is
  another's, and what it made itself goes. Once no retired generation is left, `index` needs these members no more.

  Returns { state, records removed, objects that wait to be deleted now }; state 0: nothing was done, it is not listed, is being
  loaded, is the current one by now, or one that was retired before it is still there; 1: there is more of it; 2: it is gone.

  Cost: O(records * log n) of the indexes. An inner call a record, 2 for a stub, and 17 for all; call it with at most 200.
]]
--- @include "includes/entry-head.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local AT_ONCE = 1000
local index, old = KEYS[2], KEYS[3]
local current = string.match(redis.call('HGET', KEYS[1], 'h') or '', '^h1,%a+,%d+,(%d+),')
local generation = string.match(old, '}:g(%d+):')
if string.match(index, '}:g(%d+):') ~= current or generation == current or generation == '0' then return { 0, 0, 0 } end
local retired = tonumber(redis.call('ZSCORE', KEYS[5], generation) or -1)
if retired < 0 or (retired == 0 and ARGV[1] ~= '1') then return { 0, 0, 0 } end
local time = redis.call('TIME')
local atMs, owners, last = time[1] * 1000 + math.floor(time[2] / 1000), old, false
if retired > 0 then
  local all = redis.call('ZRANGEBYSCORE', KEYS[5], '(0', '+inf', 'WITHSCORES')
  if tonumber(all[2]) < retired then return { 0, 0, 0 } end
  atMs, owners, last = tonumber(all[#all]), index, #all == 2
end

-- Has objects deleted, given with when they were to be anyway, that nobody took over. Gives how many.
local function doom(objects)
  if #objects == 0 then return 0 end
  local names, added = {}, {}
  for i, object in ipairs(objects) do names[i] = 'o\0' .. object.name end
  for i, taken in ipairs(redis.call('ZMSCORE', owners, unpack(names))) do
    if not taken then
      added[#added + 1] = 0
      added[#added + 1] = doomed_session_member(objects[i].name, math.max(atMs, objects[i].atMs))
    end
  end
  if #added > 0 then redis.call('ZADD', index, unpack(added)) end
  return #added / 2
end

-- The object in S3 that a record has, as members `d` name it; nil: none that can be read.
local function object_of(record, kind)
  if kind == 's' then
    local text, cold = stored_session(record)
    local head = text and cold and read_session(text)
    local place = head and read_place(text, head)
    return place and place.object
  end
  local text = redis.call('GETRANGE', record, 0, HEAD_BYTES - 1)
  local head = text ~= '' and read_head(record, text, atMs)
  return head and head.blob ~= '-' and string.sub(head.blob, 1, 26) or nil
end

local removed, objects = #KEYS - 5, {}
for i = 1, removed do
  local name = object_of(KEYS[i + 5], string.sub(ARGV[i + 1], 3, 3))
  if name then objects[#objects + 1] = { name = name, atMs = 0 } end
end
local doomed = doom(objects)
if removed > 0 then
  redis.call('UNLINK', unpack(KEYS, 6))
  redis.call('ZREM', old, unpack(ARGV, 2))
end
if #redis.call('ZRANGE', old, '[k\0', '(k\1', 'BYLEX', 'LIMIT', 0, 1) > 0 then return { 1, removed, doomed } end

-- What it had deleted already, or was to have if nobody took it into use.
local waiting, moved = redis.call('ZRANGE', old, '[d\0', '(d\1', 'BYLEX', 'LIMIT', 0, AT_ONCE), {}
for i, member in ipairs(waiting) do moved[i] = { name = string.sub(member, 18), atMs = tonumber(string.sub(member, 3, 16)) } end
doomed = doomed + doom(moved)
if #waiting > 0 then redis.call('ZREM', old, unpack(waiting)) end
if #waiting == AT_ONCE then return { 1, removed, doomed } end
if last then
  local taken = redis.call('ZRANGE', index, '[o\0', '(o\1', 'BYLEX', 'LIMIT', 0, AT_ONCE)
  if #taken > 0 then redis.call('ZREM', index, unpack(taken)) end
  if #taken == AT_ONCE then return { 1, removed, doomed } end
end
redis.call('UNLINK', old, KEYS[4])
redis.call('ZREM', KEYS[5], generation)
return { 2, removed, doomed }
