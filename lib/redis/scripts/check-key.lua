--[[
  Open the tenant's gate and do nothing else: who calls, and what is left to them.

  Why a script: it is the same gate, with the same limits and metering, as every other request.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys

  ARGV[1] keyHash                SHA-256 of the API key, hex
  ARGV[2] scope                  what the key must be allowed to do
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered

  Returns { 0, admission, key id, scopes, limits, counters }, or a refusal of the gate.

  Cost: O(1), 4 inner calls.
]]
--- @include "includes/gate.lua"
local a, refusal = open_gate(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if not a then return refusal end
local counters = close_gate(KEYS[1], a)
return { OK, admission(a), a.keyId, a.scopes, redis.call('HGET', KEYS[1], 'h'), counters }
