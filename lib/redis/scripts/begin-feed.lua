--[[
  Begin to tell a checkpoint of changes anew: what changes from here on is told of under a later epoch than what changed before.

  Why a script: the seq up to which the checkpoint reads, the invalidations that hide some of it, and the epoch from which on
  changes are told of must be of one moment, or a write between two of them would be in neither.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] invalidated   zset     fields of the gate that hold epochs of invalidations not settled

  Returns { 1, generation, seq, epoch before or 0, first epoch whose changes are kept or 0, epoch that begins, ms, counters, epoch
  of all entries, then name and epoch of each namespace `n:…` and tag `t:…` } or { 0, 0 } when there is no such tenant.

  Cost: O(invalidations not settled). 4 inner calls; 6 while something is invalidated and not settled.
]]
--- @include "includes/open-stock.lua"
local fields = redis.call('HMGET', KEYS[1], 'h', 'f', 'v')
local generation = string.match(fields[1], '^h1,%a+,%d+,(%d+),')
local before, first = left.feedEpoch, string.match(fields[2] or '', '^f1,(%d+)$')
local all, names = '0', {}
if fields[3] then
  all = string.match(fields[3], '^v1,(%d+),')
  names = redis.call('ZRANGE', KEYS[2], 0, -1)
end
left.feedSeq, left.feedEpoch = left.seq, math.max(nowMs, before + 1)
if before == 0 then
  first = nil
  more = more or {}
  more[#more + 1] = 'f'
  more[#more + 1] = string.format('f1,%d', left.feedEpoch)
end
--- @include "includes/close-stock.lua"
local text = string.format(
  '%s,%s,%d,%s,%d,%s,%s', limiter, minute, minuteOps, periodEnd, transfer, totals, write_stock(left)
)
local begun = {
  1, generation, string.format('%d', left.seq), string.format('%d', before), first or '0', string.format('%d', left.feedEpoch),
  nowMs, text, all,
}
-- More than `unpack` can give: 10,000 may wait.
for from = 1, #names, 1000 do
  local last = math.min(from + 999, #names)
  for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(names, from, last))) do
    begun[#begun + 1] = names[from + i - 1]
    begun[#begun + 1] = string.match(value or '', '^(%d+),') or '0'
  end
end
return begun
