--[[
  Read all that an invoice of a tenant is made of.

  Why a script: plan, counters, marks of plan changes and adjustments must be of one moment, or a change in between is billed
  twice or never; and that moment is Redis' own time.

  KEYS[1] record        string   the tenant, JSON
  KEYS[2] gate          hash     the tenant's limits, counters and API keys
  KEYS[3] billing       hash     closed invoices, marks of plan changes, adjustments
  KEYS[4] erased        string   exists when the tenant was erased

  ARGV[1] invoice                field of the one closed invoice that is wanted; empty = none
  ARGV[2..] fields               fields of `gate`: counters and points

  Returns { now (Unix ms), record, values of `fields`, names of all fields of `billing`, field and value of each that is no
  invoice, of the invoice that is wanted and of the last one, erased 1|0 }.

  Cost: O(fields + fields of `billing`), at most 5 inner calls and 1 for each 1,000 fields of `billing`.
]]
local time = redis.call('TIME')
local record = redis.call('GET', KEYS[1])
local values = redis.call('HMGET', KEYS[2], unpack(ARGV, 2))
local names = redis.call('HKEYS', KEYS[3])
local erased = record and 0 or redis.call('EXISTS', KEYS[4])
local wanted, found, last = {}, {}, ''
for _, name in ipairs(names) do
  local isInvoice = string.sub(name, 1, 4) == 'inv:'
  if isInvoice and name > last then last = name end
  if not isInvoice or name == ARGV[1] then wanted[#wanted + 1] = name end
end
if last ~= '' and last ~= ARGV[1] then wanted[#wanted + 1] = last end
for from = 1, #wanted, 1000 do
  local some = redis.call('HMGET', KEYS[3], unpack(wanted, from, math.min(from + 999, #wanted)))
  for i, value in ipairs(some) do
    found[#found + 1], found[#found + 2] = wanted[from + i - 1], value
  end
end
return { string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)), record, values, names, found, erased }
