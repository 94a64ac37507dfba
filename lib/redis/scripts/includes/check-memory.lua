-- Refuses when the tenant's records, `grown` bytes with the one to be written, do not fit beside what is reserved. Runs where
-- it stands, after open-gate.lua, stock.lua (`left`) and holds.lua. Tells whether it is the tenant's share that is used up, of
-- the memory all tenants have together (epochs.lua).
if grown + read_held(gate[4]).m > memoryLimit + 0 then
  local held = gate[4] and free_abandoned(KEYS[1], KEYS[2], gate[4], nowMs).m or 0
  if grown + held > memoryLimit + 0 then
    local share = tonumber(string.match(gate[7] or '', ',(%d+)$'))
    local shared = share and share > 0 and share + left.hotBytes == memoryLimit + 0
    return {
      OK, level, minuteOps, nowMs, opm, burst, own, 5, left.memory, held, grown - left.memory, memoryLimit, shared and 1 or 0,
    }
  end
end
