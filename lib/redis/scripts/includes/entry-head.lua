-- A cache entry's head: its first line, all a script needs to know. Format: lib/cache/entry-format.ts.
--   c1,<check>,<meta bytes>,<expires ms, 0 never>,<updated ms>,<seq>,<charged bytes>,<raw bytes>,<digest>,<op>,<codec>\n

-- The head of a stored entry, or nil. `gone` when it has expired but is still there.
local function read_head(text, atMs)
  local check, metaBytes, expires, updated, number, charged, rawBytes, digest, op = string.match(
    text,
    '^c1,(%x+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),([%w_-]+),([%w_-]+),%a[%w]*\n'
  )
  if not check then return nil end
  expires = tonumber(expires)
  return {
    metaBytes = tonumber(metaBytes), expires = expires, updated = updated, seq = number, charged = tonumber(charged),
    rawBytes = tonumber(rawBytes), digest = digest, op = op, gone = expires > 0 and expires <= atMs,
  }
end
