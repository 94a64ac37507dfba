-- Meters the operation: the last write of a request. Runs where it stands, as open-gate.lua does. Numbers are written with
-- `%d`: whole and exact up to 2^53, which `..` and `tostring` are not.
local counters = string.format(
  'm5,%d,%d,%s,%d,%s,%d,%d,%d,%d,%d,%s,%s,%s',
  level, nowUs, minute, minuteOps, periodEnd, transfer, ops + 1, hits, misses, bytesOut, computeUs, accessUs, stock
)
if more then
  redis.call('HSET', KEYS[1], 'm', counters, unpack(more))
else
  redis.call('HSET', KEYS[1], 'm', counters)
end
