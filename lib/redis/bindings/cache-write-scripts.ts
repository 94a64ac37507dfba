/** Bindings: cache entries: storing and removing one entry. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import deleteCacheEntryLua from '../scripts/delete-cache-entry.lua';
import setCacheEntryLua from '../scripts/set-cache-entry.lua';
import { GATE_ARGS } from './gate-args.ts';

export const deleteCacheEntry = defineScript({
  name: 'delete-cache-entry',
  source: deleteCacheEntryLua,
  keys: ['gate', 'entry', 'index', 'lease'],
  args: [...GATE_ARGS, 'condition', 'op'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const setCacheEntry = defineScript({
  name: 'set-cache-entry',
  source: setCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index', 'lease'],
  args: [
    ...GATE_ARGS,
    'condition',
    'token',
    'ttlMs',
    'graceMs',
    'metaBytes',
    'tagBytes',
    'rawBytes',
    'blob',
    'blobUntil',
    'digest',
    'op',
    'codec',
    'body',
  ],
  reply: (raw) => asList(raw),
});
