-- The bytes of hot sessions the tenant may have, and the epoch of that share: field `b` of the gate, `b1,<bytes>,<epoch>`.
local function session_share(gateKey)
  local share, epoch = string.match(redis.call('HGET', gateKey, 'b') or '', '^b1,(%d+),(%d+)$')
  return tonumber(share or 0), tonumber(epoch or 0)
end
