-- Decides what becomes of each of several entries, and notes what is to be written; write-entries.lua does. Runs where it
-- stands, after store-entry.lua and holds.lua, with `left`, `op`, `minute`, `nowMs`, `memoryLimit`, `storageLimit`, `held` and
-- `pending` (fields `r` and `v` of the gate), `index`, and `firstItem` (the argument before the first item) set. The entries are
-- KEYS[4] and on. An item has nine arguments, or eleven: then its object in S3 and when that is to be deleted come last, as of
-- set-cache-entry. Leaves `outcomes`, four for each entry, and `storedBytes`.
local FIELDS = (#ARGV - firstItem) / math.max(1, #KEYS - 3)
local outcomes, added, removed, pairsToSet, storedBytes = {}, {}, {}, {}, 0
local heldBytes = held and read_held(held).m or 0
if pending then memoryLimit = within_share(pending, memoryLimit, left) end

for i = 4, #KEYS do
  local entry, at = KEYS[i], firstItem + (i - 4) * FIELDS
  local item = {
    ttl = ARGV[at + 2], grace = ARGV[at + 3], metaBytes = ARGV[at + 4], tagBytes = ARGV[at + 5], rawBytes = ARGV[at + 6],
    blob = FIELDS == 11 and ARGV[at + 10] or '-', digest = ARGV[at + 7], op = op, codec = ARGV[at + 8], body = ARGV[at + 9],
  }
  local waiting = item.blob ~= '-' and doomed_member(item.blob, ARGV[at + 11])
  local exists, head, visible = known_entry(entry, KEYS[1], pending, nowMs)
  local replayed = head and string.match(head.op, '^' .. op .. '(%a)$')
  local outcome = { 3, 0, 0, '' }
  if replayed then
    outcome = { replayed == 'c' and 6 or 4, head.expires, head.fresh, head.digest }
  elseif waiting and (ARGV[at + 11] + 0 <= nowMs or not redis.call('ZSCORE', index, waiting)) then
    outcome = { 9, 0, 0, '' }
  elseif condition_holds(ARGV[at + 1], head, visible) then
    local expires, fresh = lifetime_of(item, nowMs)
    local line, charged = entry_line(entry, item, expires, fresh, left.seq + 1, nowMs, visible and 'r' or 'c')
    local oldCharge = exists and charge_of(entry, head) or nil
    local grown = left.memory + charged - (oldCharge or 0)
    if grown + heldBytes > memoryLimit + 0 and heldBytes > 0 then
      heldBytes = free_abandoned(KEYS[1], KEYS[2], held, nowMs).m
    end
    if grown + heldBytes > memoryLimit + 0 then
      outcome = { 5, left.memory, heldBytes, grown - left.memory }
    elseif waiting and left.storage + blob_bytes(item) + read_held(held).s > storageLimit + 0 then
      outcome = { 8, left.storage, read_held(held).s, blob_bytes(item) }
    else
      outcome = { visible and 2 or 1, expires, fresh, item.digest }
      count_entry(left, entry, item, expires, charged, minute, head, oldCharge, nowMs, added, removed)
      if waiting then removed[#removed + 1] = waiting end
      pairsToSet[#pairsToSet + 1] = entry
      pairsToSet[#pairsToSet + 1] = entry_text(line, item, minute)
      storedBytes = storedBytes + item.rawBytes
    end
  end
  for place = 1, 4 do outcomes[#outcomes + 1] = outcome[place] end
end
