--[[
  Read cache entries of one namespace of a tenant for administration: not metered, and their recency does not move.

  Why a script: what is read, and whether it was invalidated, must be of one moment.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2..] entries     string   the entries: head line, metadata, payload

  ARGV[1] context                context version the caller knows; empty = none
  ARGV[2] maxBytes               after so many stored bytes the rest is left to another call

  Returns { 1, now ms, context version, generation, context (empty when the caller knows it), text of each entry that was looked
  at, in their order; empty when a read would not see it, not even a stale one }; { 0, status } when the tenant is deleted, { 0, 0 }
  when there is none.

  Cost: O(bytes returned). 2 inner calls and one for every 16 entries; one more while something is invalidated and not reclaimed.
  Call it with at most 100.
]]
--- @include "includes/entry-head.lua"
--- @include "includes/epochs.lua"
local AT_ONCE = 16
local maxBytes = tonumber(ARGV[2])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call('HMGET', KEYS[1], 'h', 'v', 'x')
if not fields[1] then return { 0, 0 } end
local status, version, generation = string.match(fields[1], '^h1,(%a+),(%d+),(%d+),')
if status == 'deleted' then return { 0, status } end

local texts, bytes = {}, 0
for from = 2, #KEYS, AT_ONCE do
  if bytes >= maxBytes then break end
  for _, text in ipairs(redis.call('MGET', unpack(KEYS, from, math.min(from + AT_ONCE - 1, #KEYS)))) do
    texts[#texts + 1] = text or ''
    bytes = bytes + #texts[#texts]
  end
end

local heads, tags, known = {}, {}, {}
for i, text in ipairs(texts) do
  heads[i] = text ~= '' and read_head(KEYS[i + 1], text, nowMs) or false
  for _, tag in ipairs(heads[i] and fields[2] and tag_list(heads[i].tags) or {}) do
    if not known[tag] then known[tag], tags[#tags + 1] = true, tag end
  end
end
local epochs = fields[2] and #texts > 0 and read_epochs(KEYS[1], fields[2], namespace_of(KEYS[2]), tags)
for i, head in ipairs(heads) do
  if head and (head.gone or (epochs and head.seq <= newest_of(epochs, tag_list(head.tags)))) then texts[i] = '' end
end
return { 1, nowMs, version, generation, version == ARGV[1] and '' or fields[3], unpack(texts) }
