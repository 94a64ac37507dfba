--[[
  Forget refusals that were looked at.

  Why a script: one that was noted again since it was read stays.

  KEYS[1] refusals      hash     `<tenant>,<resource>` -> Unix ms of the last refusal

  ARGV[1..] seen                 fields and the values they had, in turn; up to 1,000 in all

  Returns { how many were forgotten }.

  Cost: O(pairs), an inner call for each pair and one more.
]]
local gone = {}
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then gone[#gone + 1] = ARGV[i] end
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
return { #gone }
