-- What a tenant keeps, the end of field `m`; only some requests change it. Format: lib/gate/counters.ts.
--
-- Byte-time is bytes times the ms they were kept, summed as hi * 10^15 + lo, because a double holds whole numbers to
-- 2^53 only. It is exact while bytes stay below 10^15.
local LIMB = 1000000000000000

-- hi, lo + bytes * ms.
local function add_byte_time(hi, lo, bytes, ms)
  local bytesHi, bytesLo = math.floor(bytes / 1000000), bytes % 1000000
  local msHi, msLo = math.floor(ms / 1000000), ms % 1000000
  local high, middle = bytesHi * msHi, bytesHi * msLo + bytesLo * msHi
  lo = lo + bytesLo * msLo + (middle % 1000000000) * 1000000 + (high % 1000) * 1000000000000
  hi = hi + math.floor(middle / 1000000000) + math.floor(high / 1000) + math.floor(lo / LIMB)
  return hi, lo % LIMB
end

-- The stock, its byte-time brought up to now.
local function read_stock(text, nowMs)
  local bytesIn, memory, entries, seq, storage, at, memoryHi, memoryLo, storageHi, storageLo, raw, packed, sessions, hotBytes,
    spilled, spilledBytes, kept, feedSeq, feedEpoch = string.match(text, '^(%d+)' .. string.rep(',(%d+)', 18) .. '$')
  local stock = {
    bytesIn = tonumber(bytesIn), memory = tonumber(memory), entries = tonumber(entries), seq = tonumber(seq),
    storage = tonumber(storage), at = tonumber(at),
    memoryHi = tonumber(memoryHi), memoryLo = tonumber(memoryLo),
    storageHi = tonumber(storageHi), storageLo = tonumber(storageLo),
    raw = tonumber(raw), packed = tonumber(packed),
    sessions = tonumber(sessions), hotBytes = tonumber(hotBytes),
    spilled = tonumber(spilled), spilledBytes = tonumber(spilledBytes),
    kept = tonumber(kept), feedSeq = tonumber(feedSeq), feedEpoch = tonumber(feedEpoch),
  }
  local ms = nowMs - stock.at
  if ms > 0 then
    if stock.memory > 0 then
      stock.memoryHi, stock.memoryLo = add_byte_time(stock.memoryHi, stock.memoryLo, stock.memory, ms)
    end
    if stock.storage > 0 then
      stock.storageHi, stock.storageLo = add_byte_time(stock.storageHi, stock.storageLo, stock.storage, ms)
    end
    stock.at = nowMs
  end
  return stock
end

local function write_stock(stock)
  return string.format(
    '%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d',
    stock.bytesIn, stock.memory, stock.entries, stock.seq, stock.storage, stock.at,
    stock.memoryHi, stock.memoryLo, stock.storageHi, stock.storageLo, stock.raw, stock.packed,
    stock.sessions, stock.hotBytes, stock.spilled, stock.spilledBytes, stock.kept, stock.feedSeq, stock.feedEpoch
  )
end
