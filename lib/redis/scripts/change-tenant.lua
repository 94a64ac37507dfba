--[[
  Change a tenant: its record, what its gate lets through, and the entry of it for the audit log.

  Why a script: record, limits and audit entry change together or not at all, and never over a change the caller has not
  seen. What the gate reads is replaced here, so the change holds from the next request on.

  KEYS[1] record        string   the tenant: `t2,<rev>,<op>\n<JSON>`
  KEYS[2] gate          hash     the tenant's limits, counters and API keys
  KEYS[3] billing       hash     what its invoices are made of
  KEYS[4] requests      hash     quota requests: id -> JSON

  ARGV[1] rev                    the revision the change was decided on
  ARGV[2] op                     identity of this change; the one that made the record is answered again
  ARGV[3] json                   the new record
  ARGV[4] status                 active, suspended or deleted
  ARGV[5] limits                 <operations a minute>,<burst>,<memory>,<storage>,<transfer>
  ARGV[6] bumpContext            1 instances learn the context anew; 0
  ARGV[7] oldPlan                the plan that ends now; empty = it stays
  ARGV[8] entry                  the audit entry, JSON on one line
  ARGV[9..] changes              kind, name, value of each further change: `set` and `del` a field of the gate, `limit` a
                                 limit of a key or route (<operations a minute>,<burst>; what was used stays used),
                                 `ask` and `forget` a quota request

  Returns { 1, record, outbox } changed, { 2, record, outbox } this change was made before, { 3, record, outbox } the record
  is another revision, { 4 } no such tenant. Nothing is changed but with 1.

  Cost: O(changes), 4 inner calls; 2 more when the plan ends, 1 for each limit and each kind of removal.
]]
local stored = redis.call('GET', KEYS[1])
if not stored then return { 4 } end
local rev, op = string.match(stored, '^t2,(%d+),([^\n]*)\n')
local gate = redis.call('HMGET', KEYS[2], 'h', 'm', 'o')
if op == ARGV[2] then return { 2, stored, gate[3] or '' } end
if (rev or '0') ~= ARGV[1] then return { 3, stored, gate[3] or '' } end

local version, generation = string.match(gate[1], '^h1,%a+,(%d+),(%d+),')
local limits = string.format('h1,%s,%d,%s,%s', ARGV[4], version + ARGV[6], generation, ARGV[5])
local record = string.format('t2,%d,%s\n', ARGV[1] + 1, ARGV[2]) .. ARGV[3]
local outbox = (gate[3] and gate[3] .. '\n' or '') .. ARGV[8]

local fields, removed, asked, forgotten = { 'h', limits, 'o', outbox }, {}, {}, {}
for i = 9, #ARGV, 3 do
  local kind, name, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if kind == 'set' then
    fields[#fields + 1], fields[#fields + 2] = name, value
  elseif kind == 'limit' then
    local used = string.match(redis.call('HGET', KEYS[2], name) or '', '^l1,%d+,%d+(,%d+,%d+)$')
    fields[#fields + 1], fields[#fields + 2] = name, 'l1,' .. value .. (used or ',0,0')
  elseif kind == 'del' then
    removed[#removed + 1] = name
  elseif kind == 'ask' then
    asked[#asked + 1], asked[#asked + 2] = name, value
  elseif kind == 'forget' then
    forgotten[#forgotten + 1] = name
  else
    error('no such kind of change')
  end
end

if ARGV[7] ~= '' then
  local time = redis.call('TIME')
  local nowMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
  -- Two changes within a millisecond: the plan between them lasted no time, and what it was before is kept.
  redis.call('HSETNX', KEYS[3], 's:' .. nowMs, ARGV[7] .. '\n' .. gate[2])
end
if #forgotten > 0 then redis.call('HDEL', KEYS[4], unpack(forgotten)) end
if #asked > 0 then redis.call('HSET', KEYS[4], unpack(asked)) end
if #removed > 0 then redis.call('HDEL', KEYS[2], unpack(removed)) end
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('SET', KEYS[1], record)
return { 1, record, outbox }
