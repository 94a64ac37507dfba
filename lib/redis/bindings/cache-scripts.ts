/** Bindings: cache entries. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import deleteCacheEntryLua from '../scripts/delete-cache-entry.lua';
import getCacheEntryLua from '../scripts/get-cache-entry.lua';
import setCacheEntryLua from '../scripts/set-cache-entry.lua';
import { GATE_ARGS } from './gate-args.ts';

export const deleteCacheEntry = defineScript({
  name: 'delete-cache-entry',
  source: deleteCacheEntryLua,
  keys: ['gate', 'entry', 'index'],
  args: [...GATE_ARGS, 'condition', 'op'],
  reply: (raw) => asList(raw),
});

export const getCacheEntry = defineScript({
  name: 'get-cache-entry',
  source: getCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index'],
  args: [...GATE_ARGS, 'want'],
  reply: (raw) => asList(raw),
});

export const setCacheEntry = defineScript({
  name: 'set-cache-entry',
  source: setCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index'],
  args: [...GATE_ARGS, 'condition', 'ttlMs', 'metaBytes', 'rawBytes', 'digest', 'op', 'codec', 'body'],
  reply: (raw) => asList(raw),
});
