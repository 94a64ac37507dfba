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

-- The same of a damaged entry: as far as its bytes stand where they should. What it misses stays behind as members of no
-- entry, which those who walk the index remove.
local function likely_members(entry, keyMember)
  local text = redis.call('GETRANGE', entry, 0, 511)
  local name = string.sub(keyMember, 2)
  local members = {
    'a\0' .. string.sub(text, 13, 20) .. name, 's\0' .. string.sub(text, 13, 20) .. name,
    'e\0' .. string.sub(text, 22, 35) .. name,
  }
  local tags = string.match(text, '\n(.-){"')
  -- Without the end of its line, the head ends with one of these.
  for codec in string.gmatch('text,num,b64,raw,lz4,zstd,graw,glz4,gzstd', '%w+') do
    tags = tags or string.match(text, ',' .. codec .. '.([^{]*){"')
  end
  tags = tags or ''
  for tag in string.gmatch(tags, '[^,]+') do members[#members + 1] = 't\0' .. tag .. name end
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

-- No lease is granted for longer.
local LONGEST_LEASE_MS = 60000

-- A write leaves the lease of its entry: its seq says that a load which began before is not to be stored. Once the entry goes,
-- nothing would, so that lease goes, too. `lease`: its key. 1 inner call of an entry written within a minute, 2 when there was
-- such a load.
local function end_older_load(lease, head, nowMs)
  if not head or nowMs - head.updated > LONGEST_LEASE_MS then return end
  local token = redis.call('GET', lease)
  if token and tonumber(string.match(token, '^%d+')) < head.seq then redis.call('UNLINK', lease) end
end

-- Removes the entry with its index members, and takes it from the stock. Of a head not to be believed `charged` is nil. `alongside`: a key to be removed with it, or nil.
-- 2 inner calls; 3 when its value is in S3, or a checkpoint is to be told of it; 4 when its head cannot be read.
local function forget_entry(stock, entry, index, head, nowMs, alongside)
  local keyMember = key_member(entry)
  uncount_entry(stock, entry, head, charge_of(entry, head))
  local members = head and head.charged and further_members(head, keyMember) or likely_members(entry, keyMember)
  if alongside then
    redis.call('UNLINK', entry, alongside)
  else
    redis.call('UNLINK', entry)
  end
  redis.call('ZREM', index, keyMember, unpack(members))
  local told = not (head and head.gone) and change_member(stock, head and head.seq or 0, keyMember)
  local come = {}
  if told then come = { 0, told } end
  if head and head.blob ~= '-' then
    come[#come + 1] = 0
    come[#come + 1] = doomed_member(head.blob, nowMs)
  end
  if #come > 0 then redis.call('ZADD', index, unpack(come)) end
end
