--[[
  Remove cache entries that have expired, with their bytes.

  Why a script: an entry written again meanwhile must stay, and the byte counter must equal what is stored at any time.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3..] entries     string   entries whose expiry member was found due

  ARGV[1..] expiries             for each entry: the expiry the caller saw (ms)

  Returns { removed, bytes freed }.

  Cost: O(entries * log n). 3 inner calls an entry and 3 for all; call it with at most 500.
]]
--- @include "includes/open-stock.lua"
--- @include "includes/entry.lua"
local before = left.memory
local removed = 0
for i = 3, #KEYS do
  local seen = tonumber(ARGV[i - 2])
  local old = redis.call('GETRANGE', KEYS[i], 0, 255)
  local head = old ~= '' and read_head(old, nowMs)
  if head and head.gone then
    forget_entry(left, KEYS[i], KEYS[2], head)
    removed = removed + 1
  elseif seen <= nowMs and not (head and head.expires == seen) then
    -- The member names an expiry the entry no longer has: a leftover, of no entry.
    redis.call('ZREM', KEYS[2], expiry_member(seen, key_member(KEYS[i])))
  end
end
if removed > 0 then
--- @include "includes/close-stock.lua"
end
return { removed, before - left.memory }
