/** Bindings: what an instance still carries when it stops. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import meterCarriedLua from '../scripts/meter-carried.lua';

export const meterCarried = defineScript({
  name: 'meter-carried',
  source: meterCarriedLua,
  keys: ['gate'],
  args: ['computeUs', 'accessUs'],
  /** Whether the tenant is there. */
  reply: (raw) => asList(raw)[0] === 1,
});
