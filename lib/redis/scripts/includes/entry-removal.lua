-- What an entry costs, where the index has it, and its removal.
--- @include "record.lua"

-- What the entry is charged. `head` is nil when it has none, or none to be believed: then its bytes are measured.
local function charge_of(entry, head)
  return head and head.charged or measured_charge(entry)
end

-- The member that orders an entry by its last access: `a`, or `s` of one whose value is in S3.
local function access_member(head, access, keyMember)
  return (head.blob == '-' and 'a' or 's') .. '\0' .. access .. string.sub(keyMember, 2)
end

-- The members of an entry besides the one that lists it: expiry, access, tags.
local function further_members(head, keyMember)
  local members = {}
  if head.expires > 0 then members[1] = expiry_member(head.expires, keyMember) end
  if head.access ~= '' then members[#members + 1] = access_member(head, head.access, keyMember) end
  for tag in string.gmatch(head.tags, '[^,]+') do
    members[#members + 1] = 't\0' .. tag .. string.sub(keyMember, 2)
  end
  return members
end

-- The member that has the cleaning delete an object of S3, from `atMs` on. 26: of a ULID.
local function doomed_member(blob, atMs)
  return string.format('d\0%014.0f\0', atMs) .. string.sub(blob, 1, 26)
end

-- Takes from the stock what the entry adds to it.
local function uncount_entry(stock, entry, head, charged)
  stock.memory = math.max(0, stock.memory - charged)
  stock.entries = math.max(0, stock.entries - 1)
  if not head then return end
  local blobBytes = blob_bytes(head)
  local packed = blobBytes > 0 and blobBytes or charged - #entry - ENTRY_OVERHEAD_BYTES - head.length - head.metaBytes
  stock.storage = math.max(0, stock.storage - blobBytes)
  stock.raw = math.max(0, stock.raw - head.rawBytes)
  stock.packed = math.max(0, stock.packed - math.max(0, packed))
end

-- Removes the entry with its index members, and takes it from the stock. `alongside`: a key to be removed with it, or nil.
-- 2 inner calls; 3 when its value is in S3, 3 when its bytes are measured.
local function forget_entry(stock, entry, index, head, nowMs, alongside)
  local keyMember = key_member(entry)
  uncount_entry(stock, entry, head, charge_of(entry, head))
  if alongside then
    redis.call('UNLINK', entry, alongside)
  else
    redis.call('UNLINK', entry)
  end
  redis.call('ZREM', index, keyMember, unpack(head and further_members(head, keyMember) or {}))
  if head and head.blob ~= '-' then redis.call('ZADD', index, 0, doomed_member(head.blob, nowMs)) end
end
