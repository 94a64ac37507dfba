--[[
  Name a generation of a tenant that is to be loaded while another serves.

  Why a script: it must be one that no record was ever of, or what is left of that one would be taken for what is loaded.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys; it need not be there
  KEYS[2] generations   zset     generations besides the one that serves -> 0 being loaded, or when it was retired, Unix ms

  Returns { generation }.

  Cost: O(generations), 4 inner calls.
]]
local generation = tonumber(string.match(redis.call('HGET', KEYS[1], 'h') or '', '^h1,%a+,%d+,(%d+),') or 0)
for _, other in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do generation = math.max(generation, tonumber(other)) end
generation = generation + 1
redis.call('ZADD', KEYS[2], 0, string.format('%d', generation))
return { generation }
