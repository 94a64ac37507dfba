/** Bindings: the gate alone. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import checkKeyLua from '../scripts/check-key.lua';
import verifyAccessLua from '../scripts/verify-access.lua';
import { GATE_ARGS } from './gate-args.ts';

export const checkKey = defineScript({
  name: 'check-key',
  source: checkKeyLua,
  keys: ['gate'],
  args: GATE_ARGS,
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const verifyAccess = defineScript({
  name: 'verify-access',
  source: verifyAccessLua,
  keys: ['gate'],
  args: GATE_ARGS,
  reply: (raw) => asList(raw),
});
