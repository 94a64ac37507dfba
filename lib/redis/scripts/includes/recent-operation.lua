-- Operations that leave nothing behind to tell a replay by: field `d` of the gate keeps the last 40 to 64, newest first, as
-- `<op>=<outcome>;`; of many removals a digit for each, of an increment its digit and the sum. Runs
-- where it stands, after open-gate.lua, with `op` set, empty of one that changes nothing. Leaves `replayed`: the outcome of the
-- same operation before, or nil.
local recent = op ~= '' and redis.call('HGET', KEYS[1], 'd') or ''
local replayed = op ~= '' and tonumber(string.match(recent, op .. '=(%d);')) or nil

-- Has the outcome, digits, written with the counters.
local function remember(fields, outcome)
  fields = fields or {}
  fields[#fields + 1] = 'd'
  fields[#fields + 1] = string.sub(op .. '=' .. outcome .. ';' .. recent, 1, 1728)
  return fields
end
