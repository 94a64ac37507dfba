/** Bindings: cache entries: many entries, numbers, lifetimes. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import deleteCacheEntriesLua from '../scripts/delete-cache-entries.lua';
import getCacheEntriesLua from '../scripts/get-cache-entries.lua';
import incrementCacheEntryLua from '../scripts/increment-cache-entry.lua';
import listCacheEntriesLua from '../scripts/list-cache-entries.lua';
import setCacheEntriesLua from '../scripts/set-cache-entries.lua';
import touchCacheEntryLua from '../scripts/touch-cache-entry.lua';
import { GATE_ARGS } from './gate-args.ts';

export const deleteCacheEntries = defineScript({
  name: 'delete-cache-entries',
  source: deleteCacheEntriesLua,
  keys: ['gate', 'index', '...records'],
  args: [...GATE_ARGS, 'op'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const getCacheEntries = defineScript({
  name: 'get-cache-entries',
  source: getCacheEntriesLua,
  keys: ['gate', 'holds', '...entries'],
  args: [...GATE_ARGS, 'want', 'stale', 'maxBytes'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const incrementCacheEntry = defineScript({
  name: 'increment-cache-entry',
  source: incrementCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index'],
  args: [...GATE_ARGS, 'by', 'ttlMs', 'graceMs', 'meta', 'op'],
  reply: (raw) => asList(raw),
});

export const listCacheEntries = defineScript({
  name: 'list-cache-entries',
  source: listCacheEntriesLua,
  keys: ['gate', 'index'],
  args: [...GATE_ARGS, 'namespace', 'prefix', 'after', 'limit'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const setCacheEntries = defineScript({
  name: 'set-cache-entries',
  source: setCacheEntriesLua,
  keys: ['gate', 'holds', 'index', '...entries'],
  args: [...GATE_ARGS, 'op', '...items'],
  reply: (raw) => asList(raw),
});

export const touchCacheEntry = defineScript({
  name: 'touch-cache-entry',
  source: touchCacheEntryLua,
  keys: ['gate', 'entry', 'index'],
  args: [...GATE_ARGS, 'condition', 'ttlMs', 'graceMs'],
  reply: (raw) => asList(raw),
});
