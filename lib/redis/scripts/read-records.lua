--[[
  Read records of a tenant as they stand: cache entries, sessions and stubs of sessions.

  Why a script: a session is a hash while it is hot, and a string while its data is in S3; asked for by one command of either kind,
  it answers the other's with an error. And what is read at once is bounded by its bytes.

  KEYS[1..] records     string   cache entries; or sessions, of which hot ones are hashes

  ARGV[1] maxBytes               about as many bytes are read; at least one record is

  Returns of each of the first records its text, its fields and values by turns, or false when it is gone.

  Cost: O(bytes). One inner call for each 32 cache entries, and one for each session, two of a stub.
]]
local AT_ONCE = 32
local records, bytes, maxBytes = {}, 0, tonumber(ARGV[1])
local from = 1
while from <= #KEYS and (from == 1 or bytes < maxBytes) do
  if string.find(KEYS[from], '}:g%d+:s:') then
    local found = redis.pcall('HGETALL', KEYS[from])
    if found.err then
      found = redis.call('GET', KEYS[from])
      bytes = bytes + #(found or '')
    else
      for _, text in ipairs(found) do bytes = bytes + #text end
      if #found == 0 then found = false end
    end
    records[from] = found
    from = from + 1
  else
    local last = from
    while last < #KEYS and last - from < AT_ONCE - 1 and not string.find(KEYS[last + 1], '}:g%d+:s:') do last = last + 1 end
    for i, text in ipairs(redis.call('MGET', unpack(KEYS, from, last))) do
      records[from + i - 1] = text
      bytes = bytes + #(text or '')
    end
    from = last + 1
  end
end
return records
