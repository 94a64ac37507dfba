--[[
  Read cache entries of one namespace through the tenant's gate: as one operation.

  Why a script: the key, the limits, the reads and their metering are one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3..] entries     string   the entries: head line, metadata, payload

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] want                   empty = the values; meta = all but the values; list = as meta, and no reads are counted
  ARGV[7] stale                  1 = entries in their grace will do
  ARGV[8] maxBytes               after so many stored bytes the rest is left to another call

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, text or empty of each entry that was
  looked at, in their order }, or a refusal of the gate.

  Cost: O(bytes returned). Of values 3 inner calls and one for every 16 entries, of metadata one an entry; one more while
  something is invalidated and not reclaimed. Expired entries are left to the cleaning. Call it with at most 100.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/entry-head.lua"
--- @include "includes/epochs.lua"
local stale, maxBytes = ARGV[7] == '1', tonumber(ARGV[8])
local values, counted = ARGV[6] == '', ARGV[6] ~= 'list'
-- Values are at most 256 KiB each: so many at a time are not too many.
local AT_ONCE = 16
local texts, bytes = {}, 0
for from = 3, #KEYS, AT_ONCE do
  if bytes >= maxBytes then break end
  local to = math.min(from + AT_ONCE - 1, #KEYS)
  if not values then
    for i = from, to do texts[i - 2] = redis.call('GETRANGE', KEYS[i], 0, 1023) end
  else
    for i, text in ipairs(redis.call('MGET', unpack(KEYS, from, to))) do texts[from - 3 + i] = text or '' end
  end
  for i = from, to do bytes = bytes + #texts[i - 2] end
end

-- Most need no more of their head than this.
local NEVER = '00000000000000'
local heads, tags, known, transferBytes = {}, {}, {}, 0
for i, text in ipairs(texts) do
  local expires, fresh, rawBytes
  if values and not gate[7] then expires, fresh, rawBytes = string.match(text, '^c2,%x+,%d+,(%d+),(%d+),(%d+),') end
  if expires and (expires == NEVER or expires + 0 > nowMs) and (stale or fresh == NEVER or fresh + 0 > nowMs) then
    heads[i] = false
    transferBytes = transferBytes + rawBytes
  else
    heads[i] = text ~= '' and read_head(KEYS[i + 2], text, nowMs) or false
    if heads[i] and gate[7] then
      for _, tag in ipairs(tag_list(heads[i].tags)) do
        if not known[tag] then known[tag], tags[#tags + 1] = true, tag end
      end
    end
  end
end
local epochs = gate[7] and #texts > 0 and read_epochs(KEYS[1], gate[7], namespace_of(KEYS[3]), tags)
for i, head in ipairs(heads) do
  if head then
    local over = head.gone or (not stale and head.fresh > 0 and head.fresh <= nowMs)
    if over or (epochs and head.seq <= newest_of(epochs, tag_list(head.tags))) then
      texts[i] = ''
    elseif not values then
      local length = head.length + head.metaBytes
      if length > #texts[i] then texts[i] = redis.call('GETRANGE', KEYS[i + 2], 0, length - 1) end
      texts[i] = string.sub(texts[i], 1, length)
    else
      transferBytes = transferBytes + head.rawBytes
    end
  end
  if counted and texts[i] == '' then
    misses = misses + 1
  elseif counted then
    hits = hits + 1
  end
end
bytesOut = bytesOut + transferBytes
if transferBytes > 0 and (gate[4] or transfer + transferBytes > transferLimit + 0) then
--- @include "includes/holds.lua"
--- @include "includes/check-transfer.lua"
else
  transfer = transfer + transferBytes
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, unpack(texts) }
