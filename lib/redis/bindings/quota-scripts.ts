/** Bindings: reservations. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import freeAbandonedHoldsLua from '../scripts/free-abandoned-holds.lua';
import releaseQuotaLua from '../scripts/release-quota.lua';
import reserveQuotaLua from '../scripts/reserve-quota.lua';
import settleQuotaLua from '../scripts/settle-quota.lua';
import { GATE_ARGS } from './gate-args.ts';

export const freeAbandonedHolds = defineScript({
  name: 'free-abandoned-holds',
  source: freeAbandonedHoldsLua,
  keys: ['gate', 'holds'],
  args: [],
  reply: (raw) => asInteger(asList(raw, 1)[0]),
});

export const releaseQuota = defineScript({
  name: 'release-quota',
  source: releaseQuotaLua,
  keys: ['gate'],
  args: [...GATE_ARGS, 'resource', 'amount', 'op'],
  reply: (raw) => asList(raw),
});

export const reserveQuota = defineScript({
  name: 'reserve-quota',
  source: reserveQuotaLua,
  keys: ['gate', 'holds'],
  args: [...GATE_ARGS, 'resource', 'amount', 'ttlMs', 'id', 'maxOpen'],
  reply: (raw) => asList(raw),
});

export const settleQuota = defineScript({
  name: 'settle-quota',
  source: settleQuotaLua,
  keys: ['gate', 'holds'],
  args: [...GATE_ARGS, 'id', 'amount', 'op'],
  reply: (raw) => asList(raw),
});
