--[[
  Add a correction to a tenant's billing, and the entry of it for the audit log.

  Why a script: both are written or neither; called again after a lost reply, it adds nothing.

  KEYS[1] record        string   the tenant, JSON
  KEYS[2] gate          hash     the tenant's limits, counters and API keys; field `o` is the outbox of audit entries
  KEYS[3] billing       hash     closed invoices, marks of plan changes, adjustments
  KEYS[4] erased        string   exists when the tenant was erased

  ARGV[1] field                  field of the adjustment, named by this operation
  ARGV[2] amount                 micro-units of the currency, may be below 0
  ARGV[3] reason                 JSON text
  ARGV[4] entry                  the audit entry, JSON on one line
  ARGV[5] maxFields              fields that `billing` may have

  Returns { 1, adjustment, record, outbox } added, { 2, adjustment, record, outbox } this operation added it before, { 3, erased
  1|0 } no such tenant, { 4 } too many. Nothing is changed but with 1.

  Cost: O(1), at most 7 inner calls.
]]
local record = redis.call('GET', KEYS[1])
if not record then return { 3, redis.call('EXISTS', KEYS[4]) } end
local outbox = redis.call('HGET', KEYS[2], 'o')
local stored = redis.call('HGET', KEYS[3], ARGV[1])
if stored then return { 2, stored, record, outbox or '' } end
if redis.call('HLEN', KEYS[3]) >= ARGV[5] + 0 then return { 4 } end
local time = redis.call('TIME')
local adjustment = string.format('a1,%d,', time[1] * 1000 + math.floor(time[2] / 1000)) .. ARGV[2] .. ',-\n' .. ARGV[3]
outbox = (outbox and outbox .. '\n' or '') .. ARGV[4]
redis.call('HSET', KEYS[3], ARGV[1], adjustment)
redis.call('HSET', KEYS[2], 'o', outbox)
return { 1, adjustment, record, outbox }
