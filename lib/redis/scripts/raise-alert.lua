--[[
  Record an alert, unless one as high was told in its period.

  Why a script: of two passes at once, one raises it; and mark and alert are one step, or a kill between them would lose the
  alert.

  KEYS[1] alerts        hash     marks and alerts (lib/alerts/alert-format.ts)
  KEYS[2] gate          hash     the tenant's limits: without them it was erased since it was looked at

  ARGV[1] mark                   field of the mark, `a:<period>:<resource>`
  ARGV[2] threshold              percent
  ARGV[3] amount                 what the threshold stands for, in the resource's unit
  ARGV[4] id                     of the alert, its field
  ARGV[5] alert                  the alert
  ARGV[6] keepFrom               marks of periods before this one are removed
  ARGV[7] maxAlerts              alerts kept; the oldest are removed

  Returns { 1 } raised; { 0 } neither threshold nor amount is above what is marked, or the tenant is gone.

  Cost: O(alerts kept), at most 5 inner calls.
]]
if redis.call('EXISTS', KEYS[2]) == 0 then return { 0 } end
local threshold, amount, maxAlerts = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[7])
local toldThreshold, toldAmount = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^a1,(%d+),(%d+)$')
if toldThreshold then
  toldThreshold, toldAmount = tonumber(toldThreshold), tonumber(toldAmount)
  if threshold <= toldThreshold and amount <= toldAmount then return { 0 } end
  threshold, amount = math.max(threshold, toldThreshold), math.max(amount, toldAmount)
end

local ids, gone = {}, {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local period = string.match(field, '^a:([%d-]+):')
  if period and period < ARGV[6] then
    gone[#gone + 1] = field
  elseif string.sub(field, 1, 3) == 'al-' then
    ids[#ids + 1] = field
  end
end
table.sort(ids)
for i = 1, #ids + 1 - maxAlerts do gone[#gone + 1] = ids[i] end

redis.call('HSET', KEYS[1], ARGV[1], string.format('a1,%d,%d', threshold, amount), ARGV[4], ARGV[5])
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
return { 1 }
