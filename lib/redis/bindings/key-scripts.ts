/** Binding: the gate alone, with all it knows. Apart from gate-scripts.ts, which every request loads. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import checkKeyLua from '../scripts/check-key.lua';
import { GATE_ARGS } from './gate-args.ts';

export const checkKey = defineScript({
  name: 'check-key',
  source: checkKeyLua,
  keys: ['gate'],
  args: GATE_ARGS,
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});
