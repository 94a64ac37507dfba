--[[
  Give one cache entry another lifetime, through the tenant's gate; the value and its ETag stay.

  Why a script: the entry, the index and the condition are one step.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] entry         string   the entry: head line, metadata, payload
  KEYS[3] index         zset     the tenant's index

  ARGV[1] keyField               the API key's field in `gate`
  ARGV[2] scope                  what the key must be allowed to do, between spaces; empty = nothing
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered, and perhaps of earlier accesses
  ARGV[5] route                  name of the route, for a limit of its own; empty = none
  ARGV[6] condition              empty = none; or digests one of which must be stored, comma separated
  ARGV[7] ttlMs                  how long it is fresh from now on, ms; 0 = never expires
  ARGV[8] graceMs                how long it may be served stale after that, ms

  Returns { 0, level, operations this minute, now ms, operations a minute, burst, own limits, outcome 1 done|0 there is none|3
  condition failed|4 it is of a format that has to be written anew, expires ms, fresh until ms, digest }, or a refusal of the gate. The same again sets the same lifetime from
  then on, and is metered again.

  Cost: O(log n) of the index and O(metadata). 7 inner calls, one more while something is invalidated and not reclaimed.
]]
--- @include "includes/open-gate.lua"
--- @include "includes/stock.lua"
--- @include "includes/store-entry.lua"
local entry, index = KEYS[2], KEYS[3]
local _, head, visible = known_entry(entry, KEYS[1], gate[7], nowMs)
local outcome, expires, fresh, digest = 0, 0, 0, ''
if visible and head and not condition_holds(ARGV[6], head, visible) then
  outcome = 3
elseif visible and head and head.access == '' then
  outcome = 4
elseif visible and head then
  outcome, digest = 1, head.digest
  expires, fresh = lifetime_of({ ttl = ARGV[7], grace = ARGV[8] }, nowMs)
  local behind = redis.call('GETRANGE', entry, 50, head.length + head.metaBytes - 1)
  local checked = string.format(',%s,%014d,%014d', head.access, expires, fresh) .. behind
  redis.call('SETRANGE', entry, 3, string.sub(redis.sha1hex(checked), 1, 8) .. string.sub(checked, 1, 39))
  local member, come = key_member(entry), {}
  if head.expires ~= expires then
    if head.expires > 0 then redis.call('ZREM', index, expiry_member(head.expires, member)) end
    if expires > 0 then come = { 0, expiry_member(expires, member) } end
  end
  local told = change_member(read_stock(stock, nowMs), head.seq, member)
  if told then
    come[#come + 1] = 0
    come[#come + 1] = told
  end
  if #come > 0 then redis.call('ZADD', index, unpack(come)) end
end
--- @include "includes/close-gate.lua"
return { OK, level, minuteOps, nowMs, opm, burst, own, outcome, expires, fresh, digest }
