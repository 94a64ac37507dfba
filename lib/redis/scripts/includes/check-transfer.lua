-- Adds `transferBytes` of this request to the period's transfer, or refuses when they do not fit. Runs where it stands,
-- after open-gate.lua and holds.lua.
transfer = transfer + transferBytes
if transfer + (gate[4] and read_held(gate[4]).t or 0) > transferLimit + 0 then
  local held = gate[4] and free_abandoned(KEYS[1], KEYS[2], gate[4], nowMs).t or 0
  if transfer + held > transferLimit + 0 then
    return {
      TRANSFER_FULL, periodEnd - nowMs, level - OPERATION, minuteOps - 1, nowMs, opm, burst,
      transfer - transferBytes + held, tonumber(transferLimit),
    }
  end
end
