/** Bindings: cache entries, as administration and its jobs read and store them. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import peekCacheEntriesLua from '../scripts/peek-cache-entries.lua';
import storeCacheEntriesLua from '../scripts/store-cache-entries.lua';

export const peekCacheEntries = defineScript({
  name: 'peek-cache-entries',
  source: peekCacheEntriesLua,
  keys: ['gate', '...entries'],
  args: ['context', 'maxBytes'],
  reply: (raw) => asList(raw),
});

export const storeCacheEntries = defineScript({
  name: 'store-cache-entries',
  source: storeCacheEntriesLua,
  keys: ['gate', 'holds', 'index', '...entries'],
  args: ['context', 'op', 'dry', '...items'],
  reply: (raw) => asList(raw),
});
