--[[
  Move the oldest pending audit entries into the chain, as the caller sealed them, if nobody else did meanwhile.

  Why a script: two sealers that both read the head would each go on from it, and the chain would fork. The head is compared
  and moved in one step, with the entries.

  KEYS[1] pending       list     entries not yet sealed, JSON, oldest first
  KEYS[2] log           zset     sealed entries, JSON -> seq
  KEYS[3] head          string   `a1,<seq>,<hash>` of the last sealed entry

  ARGV[1] oldHead                `head` as the caller read it; empty = there was none
  ARGV[2] newHead                of the last entry in `sealed`
  ARGV[3] taken                  how many pending entries were sealed: their number from the oldest on
  ARGV[4] digest                 SHA-1 of them, a line break after each
  ARGV[5] firstSeq               seq of the first in `sealed`; the others follow without a gap
  ARGV[6..] sealed               the sealed entries, JSON: at most 200

  Returns { 1 } sealed, { 0 } the head or the pending entries are others by now; nothing was changed.

  Cost: O(n log m) for n entries and a log of m. 5 inner calls; 1 or 2 when refused.
]]
local old = redis.call('GET', KEYS[3]) or ''
if old ~= ARGV[1] then return { 0 } end
local taken, firstSeq = tonumber(ARGV[3]), tonumber(ARGV[5])
local found = redis.call('LRANGE', KEYS[1], 0, taken - 1)
if #found ~= taken then return { 0 } end
if redis.sha1hex(table.concat(found, '\n') .. '\n') ~= ARGV[4] then return { 0 } end
local members = {}
for i = 6, #ARGV do
  members[#members + 1] = string.format('%d', firstSeq + i - 6)
  members[#members + 1] = ARGV[i]
end
redis.call('ZADD', KEYS[2], unpack(members))
redis.call('SET', KEYS[3], ARGV[2])
redis.call('LTRIM', KEYS[1], taken, -1)
return { 1 }
