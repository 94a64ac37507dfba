--[[
  Invalidate cache entries of a tenant for administration: all, of a namespace, or of tags; begin it for keys; or count what that would be.

  Why a script: from one moment on no read sees any of them, and no load that began before is stored.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] index         zset     the tenant's index
  KEYS[3] invalidated   zset     fields of `gate` that hold epochs not settled, by seq

  ARGV[1] dry                    1 = only count
  ARGV[2] what                   all, namespace, prefix, named or tags: includes/invalidate.lua
  ARGV[3..] names                the namespace, the namespace and a prefix, or the tags; of named none

  Returns { outcome 1 done|2 too much waits to be reclaimed|0 no such tenant, seq: of older entries, unsettled: records that have
  expired, newest epoch not settled, of each name the entries that match }.

  Cost: O(log n) of the index for each name, whatever matches. 8 inner calls, one more while something is invalidated
  and not settled; of tags 3 more, and one for each beyond the first. The same again invalidates again.
]]
--- @include "includes/open-stock.lua"
local index, invalidated, dry, what, names = KEYS[2], KEYS[3], ARGV[1] == '1', ARGV[2], {}
for i = 3, #ARGV do names[i - 2] = ARGV[i] end
local pending = redis.call('HGET', KEYS[1], 'v')
--- @include "includes/invalidate.lua"
if not dry and outcome == 1 then
--- @include "includes/close-stock.lua"
end
return { outcome, left.seq, unsettled, newest, unpack(counts) }
