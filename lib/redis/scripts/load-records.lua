--[[
  Load records into a generation of a tenant's data that does not serve yet.

  Why a script: whoever loads may be late. By then another process has the tenant served from this generation, or has given it up,
  or the tenant is being erased: then nothing may be written that would take the place of newer data, or that nobody would remove.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys; it need not be there
  KEYS[2] generations   zset     generations besides the one that serves -> 0 being loaded, or when it was retired, Unix ms
  KEYS[3] index         zset     of the generation that is loaded
  KEYS[4..] records     string   to be written; sessions are hashes

  ARGV[1] generation             the one that is loaded
  ARGV[2] added                  how many members of the index are added
  ARGV[3] removed                how many are removed, once the records stand
  ARGV[4..] values               those added, those removed, then for each record how many values follow, and these: one is a
                                 string, more are fields and values by turns

  Returns { 1 } done; { 0 } the generation is not loaded any more, or the tenant is deleted: nothing was written.

  Cost: O(values + members * log n). 2 inner calls, one for each 500 strings and each 1,000 members, two for each hash.
]]
if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or -1) ~= 0 then return { 0 } end
if string.match(redis.call('HGET', KEYS[1], 'h') or '', '^h1,deleted,') then return { 0 } end
local added, removed = tonumber(ARGV[2]), tonumber(ARGV[3])
local at = 4 + added + removed
local texts = {}
for i = 4, #KEYS do
  local count = tonumber(ARGV[at])
  if count == 1 then
    texts[#texts + 1] = KEYS[i]
    texts[#texts + 1] = ARGV[at + 1]
  else
    redis.call('DEL', KEYS[i])
    for from = at + 1, at + count, 1000 do
      redis.call('HSET', KEYS[i], unpack(ARGV, from, math.min(from + 999, at + count)))
    end
  end
  at = at + count + 1
  if #texts == 1000 or (i == #KEYS and #texts > 0) then
    redis.call('MSET', unpack(texts))
    texts = {}
  end
end
for from = 4, 3 + added, 1000 do
  local members = {}
  for i = from, math.min(from + 999, 3 + added) do
    members[#members + 1] = 0
    members[#members + 1] = ARGV[i]
  end
  redis.call('ZADD', KEYS[3], unpack(members))
end
for from = 4 + added, 3 + added + removed, 1000 do
  redis.call('ZREM', KEYS[3], unpack(ARGV, from, math.min(from + 999, 3 + added + removed)))
end
return { 1 }
