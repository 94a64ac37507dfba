--[[
  Write the invoice of a period that has ended, unless there is one.

  Why a script: an invoice and the adjustments it takes up are written in one step, so each is taken up once; and of two who
  close at the same time, the first one's invoice stays.

  KEYS[1] billing       hash     closed invoices, marks of plan changes, adjustments

  ARGV[1] field                  field of the invoice
  ARGV[2] invoice                its text
  ARGV[3] endMs                  when the period ends
  ARGV[4..] changes              field and text of each adjustment taken up; an empty text = the field is removed

  Returns { 1, invoice } closed now, { 0, invoice } closed before, nothing was changed, { 2 } the period has not ended.

  Cost: O(changes), at most 5 inner calls.
]]
local closed = redis.call('HGET', KEYS[1], ARGV[1])
if closed then return { 0, closed } end
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) < ARGV[3] + 0 then return { 2 } end
local fields, removed = { ARGV[1], ARGV[2] }, {}
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    removed[#removed + 1] = ARGV[i]
  else
    fields[#fields + 1], fields[#fields + 2] = ARGV[i], ARGV[i + 1]
  end
end
for from = 1, #fields, 1000 do
  redis.call('HSET', KEYS[1], unpack(fields, from, math.min(from + 999, #fields)))
end
for from = 1, #removed, 1000 do
  redis.call('HDEL', KEYS[1], unpack(removed, from, math.min(from + 999, #removed)))
end
return { 1, ARGV[2] }
