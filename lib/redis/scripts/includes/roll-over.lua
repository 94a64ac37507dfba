-- The end of a minute, an hour, a day and a period (a calendar month, UTC): the counters as they then stood are kept, in
-- the script that meets the end first. Formats and what becomes of it: lib/gate/gate-fields.ts.

-- When the calendar month of an instant ends, Unix ms. Days to a date and back: Howard Hinnant, chrono-compatible
-- low-level date algorithms (years that begin in March, eras of 400).
local function month_end(nowMs)
  local day = math.floor(nowMs / 86400000) + 719468
  local ofEra = day % 146097
  local year = math.floor((ofEra - math.floor(ofEra / 1460) + math.floor(ofEra / 36524) - math.floor(ofEra / 146096)) / 365)
  local ofYear = ofEra - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * ofYear + 2) / 153) + 1
  -- Months are counted from March: the 10th is December, the 12th February, the last of such a year.
  if month == 12 then month, year = 0, year + 1 end
  local leapDays = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  local first = 365 * year + leapDays + math.floor((153 * month + 2) / 5)
  return (math.floor(day / 146097) * 146097 + first - 719468) * 86400000
end

-- Counters of formats m1 to m4, as m5. Of m1: byte-time and the period's transfer begin now. Of m1 and m2: time of
-- access and what compression saves are counted from now. Of m1 to m3: sessions are. Of all: what is kept is.
local function counters_of_before(text, nowMs)
  local numbers = string.match(text, '^m4(' .. string.rep(',%d+', 28) .. ')$')
  if numbers then return 'm5' .. numbers .. ',0,0,0' end
  numbers = string.match(text, '^m3(' .. string.rep(',%d+', 24) .. ')$')
  if numbers then return 'm5' .. numbers .. ',0,0,0,0,0,0,0' end
  local counted, kept = string.match(text, '^m2(' .. string.rep(',%d+', 11) .. ')(' .. string.rep(',%d+', 10) .. ')$')
  if counted then return 'm5' .. counted .. ',0' .. kept .. ',0,0,0,0,0,0,0,0,0' end
  local head, ops, hits, bytesOut, computeUs, misses, stock, seq =
    string.match(text, '^m1,(%d+,%d+,%d+,%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+,%d+,%d+),(%d+)$')
  if not head then return '' end
  return string.format(
    'm5,%s,%d,0,%s,%s,%s,%s,%s,0,%s,%s,0,%d,0,0,0,0,0,0,0,0,0,0,0,0,0',
    head, month_end(nowMs), ops, hits, misses, bytesOut, computeUs, stock, seq, nowMs
  )
end

-- The fields that keep the counters of the time that has ended; the end of the period, and its transfer so far.
local function roll_over(text, minute, thisMinute, periodEnd, transfer, nowMs)
  local fields
  if minute ~= '0' then
    fields = { 'u:m' .. minute % 180, text }
    local hour, day = math.floor(minute / 60), math.floor(minute / 1440)
    if hour ~= math.floor(thisMinute / 60) then
      fields[3], fields[4] = 'u:h' .. hour % 192, text
      if day ~= math.floor(thisMinute / 1440) then fields[5], fields[6] = 'u:d' .. day % 431, text end
    end
  end
  if nowMs >= periodEnd + 0 then
    if fields and periodEnd ~= '0' then
      fields[#fields + 1] = 'p:' .. periodEnd
      fields[#fields + 1] = text
    end
    periodEnd, transfer = string.format('%d', month_end(nowMs)), 0
  end
  return fields, periodEnd, transfer
end
