/** Bindings: leases to load cache entries. Granting one is a read (cache-read-scripts.ts). */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import releaseCacheLeaseLua from '../scripts/release-cache-lease.lua';
import { GATE_ARGS } from './gate-args.ts';

export const releaseCacheLease = defineScript({
  name: 'release-cache-lease',
  source: releaseCacheLeaseLua,
  keys: ['gate', 'lease'],
  args: [...GATE_ARGS, 'token'],
  reply: (raw) => asList(raw),
});
