--[[
  Read one cache entry through the tenant's gate.

  Why a script: the key, the limits, the read and its metering are one step, so what is enforced is what is billed.

  KEYS[1] gate          hash     the tenant's limits, counters and API keys
  KEYS[2] entry         string   the entry: head line, metadata, payload
  KEYS[3] index         zset     the tenant's index

  ARGV[1] keyHash                SHA-256 of the API key, hex
  ARGV[2] scope                  what the key must be allowed to do
  ARGV[3] context                context version the caller knows; empty = none
  ARGV[4] carriedUs              microseconds of earlier work not yet metered
  ARGV[5] ifNoneMatch            digests the caller has, comma separated; empty = none; * = any
  ARGV[6] part                   value | meta: without the payload
  ARGV[7] keyMember              the entry's member in `index`

  Returns { 0, admission, found 1|0|2 unchanged, entry text or head, now ms }, or a refusal of the gate.

  Cost: O(bytes returned). 4 inner calls; 6 when the entry is found expired.
]]
--- @include "includes/gate.lua"
--- @include "includes/entry.lua"
local a, refusal = open_gate(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if not a then return refusal end

local entry = KEYS[2]
local wanted, part = ARGV[5], ARGV[6]
local isPlain = wanted == '' and part == 'value'
local text
if isPlain then
  text = redis.call('GET', entry)
else
  text = redis.call('GETRANGE', entry, 0, 1023)
end
if text == '' then text = false end

local expires, rawBytes
if text then expires, rawBytes = glance_head(text) end
local head
if expires and (not isPlain or (expires ~= '0' and tonumber(expires) <= a.nowMs)) then head = read_head(text, a.nowMs) end
if head and head.gone then
  count_stock(a)
  remove_entry(a, entry, KEYS[3], head, ARGV[7])
  text, head = false, nil
end
if not text then
  a.misses = a.misses + 1
  close_gate(KEYS[1], a)
  return { OK, admission(a), 0, false, a.nowMs }
end

local found = 1
if head and (wanted == '*' or string.find(',' .. wanted .. ',', ',' .. head.digest .. ',', 1, true)) then
  found = 2
elseif head and part == 'value' then
  text = redis.call('GET', entry)
end
if head and (found == 2 or part == 'meta') then
  local length = string.find(text, '\n', 1, true) + head.metaBytes
  if length > #text then text = redis.call('GETRANGE', entry, 0, length - 1) end
  text = string.sub(text, 1, length)
end

a.hits = a.hits + 1
if rawBytes and found == 1 and part == 'value' then a.bytesOut = a.bytesOut + rawBytes end
close_gate(KEYS[1], a)
return { OK, admission(a), found, text, a.nowMs }
