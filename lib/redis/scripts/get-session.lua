--[[
  Read one session through the tenant's gate. Being read is being used: it then lives its idle time on.

  Why a script: the key, the limits, the read, its recency and its metering are one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] holds         zset     the tenant's open reservations
  KEYS[3] session       hash     the session; a string, its stub, when its data is in S3
  KEYS[4] index         zset     the tenant's index
  KEYS[5] claim         string   who spills or restores the session now; has a TTL

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] secret                 the second part of the session's id
  ARGV[7] touch                  1 = it is used; 0 = it is only looked at
  ARGV[8] token                  of this caller, for the claim
  ARGV[9] claimMs                how long the claim lasts
  ARGV[10] fill                  the thousandths of the tenant's share that hot sessions may fill for this one to come back

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, found, text, … }; found 0 none; 1
  hot: all fields and values follow, text is the header and metadata if they are others now, or empty; text is a stub: 2 the claim
  is the caller's, who restores it, 3 somebody has the claim, then for how long, ms, 4 it is to be read where it is, then the bytes
  of hot sessions, the share and its epoch; 9 it cannot be read; or a refusal of the gate.

  Cost: O(bytes returned). 4 inner calls; 7 when its recency moves or it is found expired; up to 8 of a stub.
]]
--- @include "includes/open-gate.lua"
local session, index = KEYS[3], KEYS[4]
local fields, text = redis.pcall('HGETALL', session), nil
local cold = fields.err ~= nil
if cold then
  text, fields = redis.call('GET', session), {}
else
  for i = 1, #fields, 2 do
    if fields[i] == 'h' then text = fields[i + 1] end
  end
end

local found, first, share, epoch, used = 0, nil, nil, nil, nil
if text or #fields > 0 then
--- @include "includes/session-head.lua"
  local head = text and read_session(text)
  local place = head and cold and read_place(text, head)
  if not head or (cold and not place) then
    found = 9
  elseif head.secret == ARGV[6] and head.expires <= nowMs then
--- @include "includes/session-write.lua"
--- @include "includes/stock.lua"
    local left = read_stock(stock, nowMs)
    forget_session(left, session, index, head, place or nil, nowMs)
    stock = write_stock(left)
  elseif head.secret == ARGV[6] then
    local transferBytes = head.dataBytes
    if gate[4] or transfer + transferBytes > transferLimit + 0 then
--- @include "includes/holds.lua"
--- @include "includes/check-transfer.lua"
    else
      transfer = transfer + transferBytes
    end
    bytesOut = bytesOut + transferBytes
    found = cold and 4 or 1
    local gone, come
    if ARGV[7] == '1' then used, gone, come = used_now(text, head, ulid_of(session), not cold, nowMs, stock) end
    if used then
      text = used
      if cold then redis.call('SET', session, text) else redis.call('HSET', session, 'h', text) end
      redis.call('ZREM', index, unpack(gone))
      redis.call('ZADD', index, unpack(come))
    end
    if cold then
--- @include "includes/session-share.lua"
      share, epoch = session_share(KEYS[1])
      local memory, hot = string.match(stock, '^%d+,(%d+),.*,%d+,(%d+),%d+,%d+,%d+,%d+,%d+$')
      first = tonumber(hot)
      local fits = hot + place.hotCharge <= share * ARGV[10] / 1000 and memory + place.hotCharge <= memoryLimit + 0
      if fits then
        found = redis.call('SET', KEYS[5], ARGV[8], 'NX', 'PX', ARGV[9]) and 2 or 3
        if found == 3 then first = redis.call('PTTL', KEYS[5]) end
      end
    end
  end
end
if found == 0 or found == 9 then text, fields = '', {} end
--- @include "includes/close-gate.lua"
if found == 1 then return { OK, level, minuteOps, nowMs, opm, burst, own, found, used or '', unpack(fields) } end
return { OK, level, minuteOps, nowMs, opm, burst, own, found, text, first, share, epoch }
