-- The counters that only some requests change, the end of field `m`. Format: lib/gate/gate-fields.ts.
local function read_stock(stock)
  local misses, bytesIn, memory, entries, seq = string.match(stock, '^(%d+),(%d+),(%d+),(%d+),(%d+)$')
  return misses, bytesIn, tonumber(memory), tonumber(entries), tonumber(seq)
end

local function write_stock(misses, bytesIn, memory, entries, seq)
  return string.format('%d,%d,%d,%d,%d', misses, bytesIn, memory, entries, seq)
end
