-- A cache entry's head: its first line, all a script needs to know, and the tags behind it. Format: lib/cache/entry-format.ts.
--   c2,<check>,<access minute>,<expires ms, 0 never>,<fresh until ms, 0 as long as it lives>,<raw bytes>,<seq>,<charged bytes>,
--   <updated ms>,<meta bytes>,<tags bytes>,<blob: - or ulid.bytes>,<digest>,<op>,<codec>\n<tags>
-- The check to `fresh until` have fixed widths, so that they can be written over.

-- What is read of an entry when only its head is wanted: nearly always the tags, too.
local HEAD_BYTES = 1024

-- The tags in the JSON of metadata of format c1, joined by commas. They may have quotes, backslashes and brackets.
local function tags_of_before(meta)
  meta = string.gsub(string.gsub(meta, '\\\\', '\1'), '\\"', '\2')
  local tags, _, at = {}, string.find(meta, '"tags":[', 1, true)
  while at do
    local tag
    _, at, tag = string.find(meta, '^,?"([^"]*)"', at + 1)
    tags[#tags + 1] = tag
  end
  return (string.gsub(string.gsub(table.concat(tags, ','), '\2', '"'), '\1', '\\'))
end

-- Format c1 had neither grace nor recency nor blobs, and its tags stood in the JSON of the metadata.
local function read_head_of_before(entry, text)
  local first, last, metaBytes, expires, updated, seq, charged, rawBytes, digest, op, codec = string.find(
    text, '^c1,%x+,(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),([%w_-]+),([%w_-]+),(%a%w*)\n'
  )
  if not first then return nil end
  local meta = string.sub(text, last + 1, last + metaBytes)
  if #meta < metaBytes + 0 then meta = redis.call('GETRANGE', entry, last, last + metaBytes - 1) end
  return {
    access = '', expires = tonumber(expires), fresh = 0, rawBytes = tonumber(rawBytes), seq = tonumber(seq),
    charged = tonumber(charged), updated = updated, metaBytes = tonumber(metaBytes), tagBytes = 0, blob = '-',
    digest = digest, op = op, codec = codec, length = last, tags = tags_of_before(meta),
  }
end

-- The head of a stored entry, of which `text` is the beginning; or nil. `gone` when it has expired but is still there.
-- `entry`: its key, for tags that `text` has not whole.
local function read_head(entry, text, atMs)
  local head
  local first, last, access, expires, fresh, rawBytes, seq, charged, updated, metaBytes, tagBytes, blob, digest, op, codec =
    string.find(
      text,
      '^c2,%x+,(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),([%w.-]+),([%w_-]+),([%w_-]+),(%a%w*)\n'
    )
  if first and (blob == '-' or string.find(blob, '^' .. string.rep('%w', 26) .. '%.%d+$')) then
    head = {
      access = access, expires = tonumber(expires), fresh = tonumber(fresh), rawBytes = tonumber(rawBytes),
      seq = tonumber(seq), charged = tonumber(charged), updated = updated, metaBytes = tonumber(metaBytes),
      tagBytes = tonumber(tagBytes), blob = blob, digest = digest, op = op, codec = codec, length = last, tags = '',
    }
    if head.tagBytes > 0 then
      local ends = last + head.tagBytes
      head.tags = string.sub(text, last + 1, ends)
      if #text < ends then head.tags = redis.call('GETRANGE', entry, last, ends - 1) end
    end
  else
    head = read_head_of_before(entry, text)
    if not head then return nil end
  end
  head.gone = head.expires > 0 and head.expires <= atMs
  return head
end

-- Bytes of the object in S3 that holds the value; 0: the value is here.
local function blob_bytes(head)
  return tonumber(string.match(head.blob, '%.(%d+)$') or 0)
end
