-- Writes what store-entries.lua has noted: values and index. Runs where it stands, when there is something to write. Lua takes
-- some 8,000 values at a time.
redis.call('MSET', unpack(pairsToSet))
for from = 1, #removed, 1000 do redis.call('ZREM', index, unpack(removed, from, math.min(from + 999, #removed))) end
for from = 1, #added, 1000 do redis.call('ZADD', index, unpack(added, from, math.min(from + 999, #added))) end
