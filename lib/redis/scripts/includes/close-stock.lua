-- Writes the counters that open-stock.lua read. Runs where it stands.
redis.call(
  'HSET', KEYS[1], 'm',
  string.format('%s,%s,%d,%s,%d,%s,%s', limiter, minute, minuteOps, periodEnd, transfer, totals, write_stock(left)),
  unpack(more or {})
)
