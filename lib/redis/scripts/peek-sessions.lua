--[[
  Read sessions as they stand, outside the gate: second steps of calls that have passed it, and of schedules.

  Why a script: whether its data is here or in S3 is known only once a session is read.

  KEYS[1..] sessions    hash     the sessions; strings, their stubs, when their data is in S3

  ARGV[1] what                   heads = header and metadata; all = every field

  Returns for each: empty = there is none; its stub; or a list of fields and values.

  Cost: O(bytes returned). 1 inner call a session, 2 for a stub; call it with at most 100.
]]
local found = {}
for i, session in ipairs(KEYS) do
  local fields
  if ARGV[1] == 'all' then
    fields = redis.pcall('HGETALL', session)
  else
    fields = redis.pcall('HGET', session, 'h')
    if not fields then
      fields = {}
    elseif type(fields) == 'string' then
      fields = { 'h', fields }
    end
  end
  if fields.err then fields = redis.call('GET', session) or '' end
  found[i] = fields
end
return found
