-- What an entry costs, and its removal.
--- @include "record.lua"

-- What the entry is charged. `head` is nil when it has none, or none to be believed: then its bytes are measured.
local function charge_of(entry, head)
  return head and head.charged or measured_charge(entry)
end

-- Removes the entry with its index members, and takes it from the stock.
local function forget_entry(stock, entry, index, head)
  forget_record(stock, entry, index, head and head.expires or 0, charge_of(entry, head))
  stock.entries = math.max(0, stock.entries - 1)
end
