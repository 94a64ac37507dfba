--[[
  Hand an audit entry to the sealer, once.

  Why a script: looking whether it was there before and pushing it are one step, so that a call repeated after a lost reply
  adds nothing.

  KEYS[1] pending       list     entries not yet sealed, JSON, oldest first
  KEYS[2] seen          zset     ids of the last 10,000 entries pushed -> Unix ms

  ARGV[1] id                     the entry's id
  ARGV[2] json                   the entry

  Returns { 1 } added, { 0 } it was there before.

  Cost: O(log n) of `seen`. 5 inner calls; 1 when it was there before.
]]
--- @include "includes/push-audit.lua"
return { push_audit(KEYS[1], KEYS[2], ARGV[1], ARGV[2]) }
