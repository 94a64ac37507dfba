/** Bindings: idempotent calls, of administration and of tenants. */
import { asInteger, asList, asText } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import beginIdempotentLua from '../scripts/begin-idempotent.lua';
import beginTenantCallLua from '../scripts/begin-tenant-call.lua';
import endIdempotentLua from '../scripts/end-idempotent.lua';
import endTenantCallLua from '../scripts/end-tenant-call.lua';
import { GATE_ARGS } from './gate-args.ts';

export const beginIdempotent = defineScript({
  name: 'begin-idempotent',
  source: beginIdempotentLua,
  keys: ['call'],
  args: ['body', 'op', 'leaseMs', 'ttlMs'],
  reply: (raw) => {
    const [code, value, lease] = asList(raw);
    if (code === 1) return { state: 'run', op: asText(value), lease: asText(lease) } as const;
    if (code === 2) return { state: 'done', reply: asText(value) } as const;
    if (code === 3) return { state: 'running', leftMs: asInteger(value) } as const;
    return { state: 'other' } as const;
  },
});

export const beginTenantCall = defineScript({
  name: 'begin-tenant-call',
  source: beginTenantCallLua,
  keys: ['gate', 'holds', 'call', 'index'],
  args: [...GATE_ARGS, 'body', 'op', 'leaseMs', 'ttlMs'],
  reply: (raw) => asList(raw),
});

export const endIdempotent = defineScript({
  name: 'end-idempotent',
  source: endIdempotentLua,
  keys: ['call'],
  args: ['op', 'lease', 'reply'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const endTenantCall = defineScript({
  name: 'end-tenant-call',
  source: endTenantCallLua,
  keys: ['gate', 'holds', 'call', 'index'],
  args: ['op', 'lease', 'reply'],
  reply: (raw) => (['not_ours', 'kept', 'no_room'] as const)[asInteger(asList(raw)[0])],
});
