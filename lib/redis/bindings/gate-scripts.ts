/** Bindings: the gate alone. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import verifyAccessLua from '../scripts/verify-access.lua';
import { GATE_ARGS } from './gate-args.ts';

export const verifyAccess = defineScript({
  name: 'verify-access',
  source: verifyAccessLua,
  keys: ['gate'],
  args: GATE_ARGS,
  reply: (raw) => asList(raw),
});
