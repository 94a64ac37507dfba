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
--- @include "includes/entry.lua"
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local counters, stock = string.match(redis.call('HGET', KEYS[1], 'm') or '', '^(m1,.*,)(%d+,%d+,%d+,%d+,%d+)$')
if not counters then return { 0, 0 } end

local _, _, before = read_stock(stock)
local removed = 0
for i = 3, #KEYS do
  local seen = tonumber(ARGV[i - 2])
  local old = redis.call('GETRANGE', KEYS[i], 0, 255)
  local head = old ~= '' and read_head(old, nowMs)
  if head and head.gone then
    stock = forget_entry(stock, KEYS[i], KEYS[2], head)
    removed = removed + 1
  elseif seen <= nowMs and not (head and head.expires == seen) then
    -- The member names an expiry the entry no longer has: a leftover, of no entry.
    redis.call('ZREM', KEYS[2], expiry_member(seen, key_member(KEYS[i])))
  end
end
if removed > 0 then redis.call('HSET', KEYS[1], 'm', counters .. stock) end
local _, _, after = read_stock(stock)
return { removed, before - after }
