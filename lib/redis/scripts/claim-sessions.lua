--[[
  Claim sessions that are to be spilled, and read them. Names the objects they are to become, which are deleted unless they are
  taken into use. Of a tenant that is deleted none: what is begun while it is erased might outlast that.

  Why a script: a session used, changed or claimed meanwhile must stay; and an object has a name before it is written.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3..] records     hash     the sessions, then as many claims: strings with a TTL

  ARGV[1] count                  how many sessions
  ARGV[2] token                  of this claim
  ARGV[3] claimMs                how long it lasts
  ARGV[4] objectMs               how long an object may stand unused
  ARGV[5] maxBytes               of all data; the first session is claimed whatever its size
  ARGV[6..] seen                 for each session: its access as the index had it, and the ULID of its object

  Returns { when unused objects are deleted, ms, members of the index that were moved or were of no session, for each session its
  fields and values, or empty when it is not to be spilled }.

  Cost: O(bytes returned). 3 inner calls a session, and 4 for all; call it with at most 100.
]]
--- @include "includes/session-head.lua"
--- @include "includes/session-write.lua"
local index, count = KEYS[2], tonumber(ARGV[1])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local untilMs = nowMs + ARGV[4]
local results, doomed, leftovers, bytes = {}, {}, {}, 0
local limits = redis.call('HGET', KEYS[1], 'h')
if not limits or string.find(limits, '^h1,deleted,') then
  for i = 1, count do results[i] = {} end
  return { untilMs, 0, unpack(results) }
end
for i = 1, count do
  local session, access, object = KEYS[i + 2], ARGV[4 + i * 2], ARGV[5 + i * 2]
  local ulid = ulid_of(session)
  local text, cold = stored_session(session)
  local head = text and not cold and read_session(text)
  local result = {}
  if not head or head.access ~= access then
    -- Of a header that cannot be read nothing is known: it stays.
    if not text or cold or head then leftovers[#leftovers + 1] = session_access_member(access, ulid) end
  elseif head.expires > nowMs and (bytes == 0 or bytes + head.dataBytes <= tonumber(ARGV[5])) then
    if redis.call('SET', KEYS[2 + count + i], ARGV[2], 'NX', 'PX', ARGV[3]) then
      bytes = bytes + head.dataBytes
      result = redis.call('HGETALL', session)
      doomed[#doomed + 1] = 0
      doomed[#doomed + 1] = doomed_session_member(object .. '.' .. ulid, untilMs)
    end
  end
  results[i] = result
end
if #leftovers > 0 then redis.call('ZREM', index, unpack(leftovers)) end
if #doomed > 0 then redis.call('ZADD', index, unpack(doomed)) end
return { untilMs, #leftovers, unpack(results) }
