-- Hands an audit entry to the sealer: once, whoever publishes it again after a lost reply or a kill. Every script that adds to
-- the audit log has this include, so that the rule is one. All keys are on the `{sys}` slot. Format: lib/audit/entry.ts.
local AUDIT_SEEN_MAX = 10000

-- Pushes `json` to the pending list unless `id` is among the last 10,000 pushed. Gives 1 pushed, 0 it was there before.
-- The push comes before the mark: ended between the two, an entry would be there twice, but never lost. 5 inner calls.
local function push_audit(pendingKey, seenKey, id, json)
  if redis.call('ZSCORE', seenKey, id) then return 0 end
  local time = redis.call('TIME')
  redis.call('RPUSH', pendingKey, json)
  redis.call('ZADD', seenKey, string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)), id)
  redis.call('ZREMRANGEBYRANK', seenKey, 0, -1 - AUDIT_SEEN_MAX)
  return 1
end
