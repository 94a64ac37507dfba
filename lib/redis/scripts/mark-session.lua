--[[
  Mark the stub of a session whose object is missing or damaged, or take the mark away.

  Why a script: a stub of another object, or a session whose data is in Redis again, must stay as it is.

  KEYS[1] session       string   the stub

  ARGV[1] object                 ULID of its object
  ARGV[2] mark                   q = quarantined; - = not

  Returns 1 when it was marked so now, 2 when it was so before, 0 when it is another by now.

  Cost: O(1). 3 inner calls.
]]
--- @include "includes/session-head.lua"
local text = redis.pcall('GET', KEYS[1])
if type(text) ~= 'string' then return 0 end
local head = read_session(text)
local place = head and read_place(text, head)
if not place or string.sub(place.object, 1, 26) ~= ARGV[1] then return 0 end
if place.mark == ARGV[2] then return 2 end
redis.call('SETRANGE', KEYS[1], place.metaFrom - 3, ARGV[2])
return 1
