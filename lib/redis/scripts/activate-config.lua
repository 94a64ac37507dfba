--[[
  Make a version of the configuration the active one, and tell the audit log.

  Why a script: instances see the new one together with what they need to take it, a kill cannot come between it and its entry
  in the log, and one that was activated later is never replaced by an older one that arrives late.

  KEYS[1] active        string   `a1,<rev>,…`: what instances look at (lib/runtime-config/active-format.ts)
  KEYS[2] versions      hash     version -> JSON of the versions in use
  KEYS[3] pending       list     audit entries not yet sealed, JSON, oldest first
  KEYS[4] seen          zset     ids of the last 10,000 entries pushed -> Unix ms

  ARGV[1] rev                    of the new one, integer
  ARGV[2] text                   the new one
  ARGV[3] entryId                of the audit entry
  ARGV[4] entry                  the audit entry, JSON
  ARGV[5..] inUse                version and JSON of each version it names

  Returns { 1 } it is active, { 0 } a later one is.

  Cost: O(versions in use). 10 inner calls at most.
]]
--- @include "includes/push-audit.lua"
local stored = redis.call('GET', KEYS[1])
local rev = stored and tonumber(string.match(stored, '^a1,(%d+),') or 0) or 0
local kept, documents = {}, {}
for i = 5, #ARGV, 2 do
  kept[ARGV[i]] = true
  documents[#documents + 1], documents[#documents + 2] = ARGV[i], ARGV[i + 1]
end
local gone = {}
for _, version in ipairs(redis.call('HKEYS', KEYS[2])) do
  if not kept[version] then gone[#gone + 1] = version end
end

push_audit(KEYS[3], KEYS[4], ARGV[3], ARGV[4])
if rev > tonumber(ARGV[1]) then return { 0 } end
if #documents > 0 then redis.call('HSET', KEYS[2], unpack(documents)) end
redis.call('SET', KEYS[1], ARGV[2])
if #gone > 0 then redis.call('HDEL', KEYS[2], unpack(gone)) end
return { 1 }
