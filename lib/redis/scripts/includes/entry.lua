-- A cache entry's head: its first line, all a script needs to know. Format: lib/cache/entry-format.ts.
--   c1,<check>,<meta bytes>,<expires ms, 0 never>,<updated ms>,<seq>,<charged bytes>,<raw bytes>,<digest>,<op>,<codec>\n
--- @include "record.lua"

-- The head of a stored entry, or nil. `gone` when it has expired but is still there.
local function read_head(text, atMs)
  local check, metaBytes, expires, updated, number, charged, rawBytes, digest, op = string.match(
    text,
    '^c1,(%x+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),([%w_-]+),([%w_-]+),%a[%w]*\n'
  )
  if not check then return nil end
  expires = tonumber(expires)
  return {
    metaBytes = tonumber(metaBytes), expires = expires, updated = updated, seq = number, charged = tonumber(charged),
    rawBytes = tonumber(rawBytes), digest = digest, op = op, gone = expires > 0 and expires <= atMs,
  }
end

-- What the entry is charged. `head` is nil when it has none, or none to be believed: then its bytes are measured.
local function charge_of(entry, head)
  return head and head.charged or measured_charge(entry)
end

-- Removes the entry with its index members, and takes it from the stock.
local function forget_entry(stock, entry, index, head)
  forget_record(stock, entry, index, head and head.expires or 0, charge_of(entry, head))
  stock.entries = math.max(0, stock.entries - 1)
end
