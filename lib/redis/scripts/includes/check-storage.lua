-- Refuses when the tenant's objects in S3, `grownStorage` bytes with the one to be counted, do not fit beside what is reserved.
-- Runs where it stands, after open-gate.lua, stock.lua (`left`) and holds.lua.
if grownStorage + read_held(gate[4]).s > storageLimit + 0 then
  local held = gate[4] and free_abandoned(KEYS[1], KEYS[2], gate[4], nowMs).s or 0
  if grownStorage + held > storageLimit + 0 then
    return { OK, level, minuteOps, nowMs, opm, burst, own, 8, left.storage, held, grownStorage - left.storage, storageLimit }
  end
end
