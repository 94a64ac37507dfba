/** Bindings: limits of a tenant's own users. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import checkLimitLua from '../scripts/check-limit.lua';
import { GATE_ARGS } from './gate-args.ts';

export const checkLimit = defineScript({
  name: 'check-limit',
  source: checkLimitLua,
  keys: ['gate', 'holds', 'limit', 'index'],
  args: [...GATE_ARGS, 'algorithm', 'limit', 'windowMs', 'cost', 'op'],
  reply: (raw) => asList(raw),
});
