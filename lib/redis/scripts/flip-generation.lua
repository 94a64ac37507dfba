--[[
  Have a tenant served from another generation of its records, which was loaded; the one before is retired.

  Why a script: a request sees all of the old or all of the new. What the records of the new one are charged takes the place of
  what those of the old one were, in the same step; what has no generation stays as it is.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] generations   zset     generations besides the one that serves -> 0 being loaded, or when it was retired, Unix ms
  KEYS[3] invalidated   zset     fields of the gate that hold epochs of invalidations not settled
  KEYS[4] old           zset     index of the generation that serves now
  KEYS[5] index         zset     index of the one that is loaded
  KEYS[6] dead          zset     the tenant's terminated sessions, by the end of their absolute lifetime
  KEYS[7] mark          string   the restore that switched it over last; has a TTL
  KEYS[8..] sessions    hash     of the loaded generation, as they may have been terminated since: those that were are removed

  ARGV[1] from                   generation that serves now
  ARGV[2] to                     the one that is loaded
  ARGV[3] memory                 bytes its records are charged
  ARGV[4] entries                cache entries
  ARGV[5] storage                bytes of its objects in S3
  ARGV[6] raw                    bytes of the values of its entries
  ARGV[7] packed                 the same as they are packed
  ARGV[8] sessions               all that live
  ARGV[9] hotBytes               what those in Redis are charged
  ARGV[10] spilled               those whose data is in S3
  ARGV[11] spilledBytes          of their objects
  ARGV[12] seq                   newest seq of its records
  ARGV[13] epoch                 of the feed of changes; empty = nobody looked at it
  ARGV[14] changed               sessions that had changed under it when it was looked at
  ARGV[15] mark                  of KEYS[7]; how many entries and sessions there were is added

  Invalidations that were not settled go to members `x\0<epoch>\0<field>` of `old`: what they hide there is not there.

  Returns { 1, epoch of the feed until now or 0, first epoch whose changes are kept or 0 } done; { 2 } it was before; { 3,
  generation } another one serves, or `to` is not loaded any more; { 4 } the tenant is deleted; { 5, share, epoch } the hot sessions are more than its share of
  their memory; { 6 } sessions have changed since, or the feed has begun anew; { 0, 0 } there is no such tenant. But for the first
  nothing was changed.

  Cost: O(invalidations not settled), at most 14 inner calls, 2 for each 500 of them, and 6 for each session.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/session-share.lua"
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local fields = redis.call('HMGET', KEYS[1], 'h', 'r', 'v', 'f')
local status, version, generation, limits = string.match(fields[1] or '', '^h1,(%a+),(%d+),(%d+),(.*)$')
if not status then return { 0, 0 } end
if generation == ARGV[2] then return { 2 } end
if generation ~= ARGV[1] then return { 3, tonumber(generation) } end
if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[2]) or -1) ~= 0 then return { 3, tonumber(generation) } end
if status == 'deleted' then return { 4 } end
local share, shareEpoch = session_share(KEYS[1])
if tonumber(ARGV[9]) > math.max(share, left.hotBytes) then return { 5, share, shareEpoch } end
if ARGV[13] ~= '' then
  local range = 'w\0' .. string.format('%014.0f', ARGV[13]) .. '\0s'
  local changed = redis.call('ZLEXCOUNT', KEYS[4], '[' .. range .. '\0', '(' .. range .. '\1')
  if left.feedEpoch ~= tonumber(ARGV[13]) or changed ~= tonumber(ARGV[14]) then return { 6 } end
end

local committedMemory, committedStorage = string.match(fields[2] or '', ',(%d+),(%d+)$')
local epoch, first = left.feedEpoch, string.match(fields[4] or '', '^f1,(%d+)$')
local names = redis.call('ZRANGE', KEYS[3], 0, -1)
local mark = string.format('%s%d,%d', ARGV[15], left.entries, left.sessions)
local hiding = { 0, 'x\0' .. string.format('%016.0f', string.match(fields[3] or '', '^v1,(%d+),') or 0) .. '\0' }
for from = 1, fields[3] and #names or 0, 500 do
  local last = math.min(from + 499, #names)
  for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(names, from, last))) do
    local hidden = string.match(value or '', '^(%d+),') or 0
    hiding[#hiding + 1] = 0
    hiding[#hiding + 1] = 'x\0' .. string.format('%016.0f', hidden) .. '\0' .. names[from + i - 1]
  end
  redis.call('ZADD', KEYS[4], unpack(hiding))
  hiding = {}
end
if #hiding > 0 and fields[3] then redis.call('ZADD', KEYS[4], unpack(hiding)) end
left.memory = left.kept + tonumber(committedMemory or 0) + ARGV[3]
left.storage = tonumber(committedStorage or 0) + ARGV[5]
left.entries, left.raw, left.packed = tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[7])
left.sessions, left.hotBytes = tonumber(ARGV[8]), tonumber(ARGV[9])
left.spilled, left.spilledBytes = tonumber(ARGV[10]), tonumber(ARGV[11])
left.seq = math.max(left.seq, tonumber(ARGV[12])) + 1
left.feedSeq, left.feedEpoch = 0, 0
for i = 8, #KEYS do
  local text, cold = stored_session(KEYS[i])
  local head = text and read_session(text)
  local place = head and cold and read_place(text, head) or nil
  local score = head and redis.call('ZSCORE', KEYS[6], ulid_of(KEYS[i]) .. '-' .. head.secret)
  if score and tonumber(score) > nowMs then
    -- An object that the old generation has, too, goes with that one.
    local shared = place and redis.call('ZREM', KEYS[5], 'o\0' .. place.object) == 1
    forget_session(left, KEYS[i], KEYS[5], head, place, nowMs)
    if shared then redis.call('ZREM', KEYS[5], doomed_session_member(place.object, nowMs)) end
  end
end
more = more or {}
more[#more + 1] = 'h'
more[#more + 1] = string.format('h1,%s,%d,%s,%s', status, version + 1, ARGV[2], limits)
-- Shares of the memory of all caches stand beside the epochs.
local memoryShare = string.match(fields[3] or '', ',(%d+)$')
if memoryShare and memoryShare ~= '0' then
  more[#more + 1] = 'v'
  more[#more + 1] = 'v1,0,0,0,0,' .. memoryShare
end
--- @include "includes/close-stock.lua"
redis.call('ZADD', KEYS[2], string.format('%d', nowMs), generation)
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('SET', KEYS[7], mark, 'PX', 604800000)
local gone = { 'f' }
if fields[3] and not (memoryShare and memoryShare ~= '0') then gone[2] = 'v' end
for _, name in ipairs(names) do gone[#gone + 1] = name end
for from = 1, #gone, 1000 do redis.call('HDEL', KEYS[1], unpack(gone, from, math.min(from + 999, #gone))) end
redis.call('UNLINK', KEYS[3])
return { 1, string.format('%d', epoch), first or '0' }
