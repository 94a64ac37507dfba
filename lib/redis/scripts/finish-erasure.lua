--[[
  Put the receipt of an erasure in the place of the tenant.

  Why a script: there is a tenant to be erased, or a receipt; never both, and never neither.

  KEYS[1] erased        string   the receipt, JSON; its id is never used again
  KEYS[2] record        string   the tenant
  KEYS[3..] others      any      what else the tenant has in its slot

  ARGV[1] receipt                JSON

  Returns { 1 } done now, { 0 } done before.

  Cost: O(bytes removed), 3 inner calls.
]]
if redis.call('EXISTS', KEYS[1]) == 1 then return { 0 } end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('UNLINK', KEYS[2], unpack(KEYS, 3))
return { 1 }
