--[[
  Grant a tenant part of the memory that the hot sessions of all tenants share, as far as there is any left.

  Why a script: two tenants that read what is left and then take it would both take the same bytes.

  KEYS[1] budget        hash     tenant -> `<granted bytes>,<epoch>`; total -> bytes granted to all

  ARGV[1] tenant                 its id
  ARGV[2] want                   bytes it needs in all; what it has is never lowered
  ARGV[3] ahead                  bytes it may be given beyond that, the less the scarcer they are
  ARGV[4] share                  bytes, as its gate has it
  ARGV[5] epoch                  of that share. Where the pool knows of no newer one, the share counts as granted: the pool may have
                                 been lost
  ARGV[6] max                    bytes for all tenants

  Returns { bytes granted to it now, the epoch of that, bytes granted to all }.

  Cost: O(1). 2 inner calls.
]]
local stored, total = unpack(redis.call('HMGET', KEYS[1], ARGV[1], 'total'))
local granted, epoch = string.match(stored or '0,0', '^(%d+),(%d+)$')
granted, epoch, total = tonumber(granted), tonumber(epoch), tonumber(total or 0)
local want, share, floor, max = tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local before = granted
if floor >= epoch and share > granted then granted = share end
total = total + granted - before
-- The last twentieth is for those who have little: nobody's first session waits until others give way.
local free = max - total
if granted > max / 16 then free = free - math.floor(max / 20) end
local more = math.max(0, math.min(want - granted, free))
more = more + math.max(0, math.min(want + ARGV[3] - granted - more, math.floor((free - more) / 8)))
granted, total = granted + more, total + more
-- A new one in any case: what lowers its share meanwhile is called off.
epoch = math.max(epoch, floor) + 1
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d,%d', granted, epoch), 'total', string.format('%d', total))
return { string.format('%d', granted), epoch, string.format('%d', total) }
