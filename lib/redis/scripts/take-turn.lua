--[[
  Take the place of which there is one, keep it, or give it back: for work that must not run beside itself.

  Why a script: who has it is compared and written in one step, so that nobody gives back, or takes over, what is another's by then.

  KEYS[1] turn          string   who has it; has a TTL

  ARGV[1] token                  of the caller
  ARGV[2] forMs                  how long it is the caller's, ms; 0 = it is given back
  ARGV[3] instead                who has ended, as the caller knows: then it is taken from them; empty = nobody

  Returns { 1 } it is the caller's, or given back; { 0, token } somebody else has it.

  Cost: O(1), 2 inner calls.
]]
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then
  return { ARGV[2] == '0' and 1 or 0, holder }
end
if ARGV[2] == '0' then
  if holder == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return { 1 }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 1 }
