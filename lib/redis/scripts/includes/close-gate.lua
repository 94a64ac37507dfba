-- Meters the operation: the last write of a request. Runs where it stands, as open-gate.lua does. Numbers are written with
-- `%d`: whole and exact up to 2^53, which `..` and `tostring` are not.
local counters = string.format(
  'm1,%d,%d,%s,%d,%d,%d,%d,%s,%s', level, nowUs, minute, minuteOps, ops + 1, hits, bytesOut, computeUs, stock
)
if removals then
  redis.call('HSET', KEYS[1], 'm', counters, 'd', removals)
else
  redis.call('HSET', KEYS[1], 'm', counters)
end
