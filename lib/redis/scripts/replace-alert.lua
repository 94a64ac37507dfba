--[[
  Put an alert after an attempt in the place of the one before it.

  Why a script: an alert that was removed meanwhile, or that another pass has changed, is not written back.

  KEYS[1] alerts        hash     marks and alerts (lib/alerts/alert-format.ts)

  ARGV[1] id                     of the alert, its field
  ARGV[2] before                 the alert as it was read
  ARGV[3] after                  the alert as it is now

  Returns { 1 } it is there, also when it was before; { 0 } another one is there, or none.

  Cost: O(1), at most 2 inner calls.
]]
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored == ARGV[3] then return { 1 } end
if stored ~= ARGV[2] then return { 0 } end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 1 }
