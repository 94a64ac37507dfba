-- A call of a tenant that carries an `Idempotency-Key`, a counted record. Its reply is sealed: lib/http/sealed-reply.ts.
--   i1,<r runs|d done>,<op>,<lease ms>,<expires ms>,<digest of the request>\n<reply>
local function read_call(text, nowMs)
  local state, op, lease, expires, body = string.match(text, '^i1,([rd]),([^,]+),(%d+),(%d+),([%w_-]+)\n')
  if not state then return nil end
  expires = tonumber(expires)
  return {
    done = state == 'd', op = op, lease = lease, expires = expires, indexed = expires, body = body,
    gone = expires <= nowMs,
  }
end

local function write_call(call, reply)
  return string.format('i1,%s,%s,%s,%d,%s\n%s', call.done and 'd' or 'r', call.op, call.lease, call.expires, call.body, reply)
end
