/** Bindings: cache entries: reading one entry. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import getCacheEntryLua from '../scripts/get-cache-entry.lua';
import leaseCacheEntryLua from '../scripts/lease-cache-entry.lua';
import { GATE_ARGS } from './gate-args.ts';

export const getCacheEntry = defineScript({
  name: 'get-cache-entry',
  source: getCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index', 'lease'],
  args: [...GATE_ARGS, 'want', 'stale'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const leaseCacheEntry = defineScript({
  name: 'lease-cache-entry',
  source: leaseCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index', 'lease'],
  args: [...GATE_ARGS, 'want', 'op', 'leaseMs', 'early', 'stale'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});
