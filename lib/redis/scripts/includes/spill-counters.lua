-- What was moved between Redis and S3 of a tenant's sessions, field `sp` of the gate:
--   sp1,<spilled>,<restored>,<spill operations>,<restore operations>,<spill µs>,<restore µs>

-- Adds `moves`, in that order, and has the field written with the counters: gives the fields to be written then.
local function count_moves(gateKey, fields, moves)
  local sums = { string.match(
    redis.call('HGET', gateKey, 'sp') or '', '^sp1,(%d+),(%d+),(%d+),(%d+),(%d+),(%d+)$'
  ) }
  for i, add in ipairs(moves) do sums[i] = string.format('%d', (sums[i] or 0) + add) end
  fields = fields or {}
  fields[#fields + 1] = 'sp'
  fields[#fields + 1] = 'sp1,' .. table.concat(sums, ',')
  return fields
end
