/** Bindings: cache entries. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import deleteCacheEntriesLua from '../scripts/delete-cache-entries.lua';
import deleteCacheEntryLua from '../scripts/delete-cache-entry.lua';
import getCacheEntriesLua from '../scripts/get-cache-entries.lua';
import getCacheEntryLua from '../scripts/get-cache-entry.lua';
import incrementCacheEntryLua from '../scripts/increment-cache-entry.lua';
import invalidateCacheLua from '../scripts/invalidate-cache.lua';
import invalidateTenantCacheLua from '../scripts/invalidate-tenant-cache.lua';
import leaseCacheEntryLua from '../scripts/lease-cache-entry.lua';
import listCacheEntriesLua from '../scripts/list-cache-entries.lua';
import moveCacheEntryLua from '../scripts/move-cache-entry.lua';
import removeCacheEntriesLua from '../scripts/remove-cache-entries.lua';
import setCacheEntriesLua from '../scripts/set-cache-entries.lua';
import setCacheEntryLua from '../scripts/set-cache-entry.lua';
import setMemoryShareLua from '../scripts/set-memory-share.lua';
import settleInvalidationLua from '../scripts/settle-invalidation.lua';
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

export const deleteCacheEntry = defineScript({
  name: 'delete-cache-entry',
  source: deleteCacheEntryLua,
  keys: ['gate', 'entry', 'index', 'lease'],
  args: [...GATE_ARGS, 'condition', 'op'],
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

export const getCacheEntry = defineScript({
  name: 'get-cache-entry',
  source: getCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index'],
  args: [...GATE_ARGS, 'want', 'stale'],
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

export const invalidateCache = defineScript({
  name: 'invalidate-cache',
  source: invalidateCacheLua,
  keys: ['gate', 'index', 'invalidated'],
  args: [...GATE_ARGS, 'op', 'what', '...names'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const invalidateTenantCache = defineScript({
  name: 'invalidate-tenant-cache',
  source: invalidateTenantCacheLua,
  keys: ['gate', 'index', 'invalidated'],
  args: ['dry', 'what', '...names'],
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

export const listCacheEntries = defineScript({
  name: 'list-cache-entries',
  source: listCacheEntriesLua,
  keys: ['gate', 'index'],
  args: [...GATE_ARGS, 'namespace', 'prefix', 'after', 'limit'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const moveCacheEntry = defineScript({
  name: 'move-cache-entry',
  source: moveCacheEntryLua,
  keys: ['gate', 'index', 'entry'],
  args: ['seq', 'metaBytes', 'tagBytes', 'blob', 'blobUntil', 'codec', 'memoryShare', 'body'],
  reply: (raw) => {
    const [outcome, bytes] = asList(raw, 2);
    return { outcome: asInteger(outcome), bytes: asInteger(bytes) };
  },
});

export const removeCacheEntries = defineScript({
  name: 'remove-cache-entries',
  source: removeCacheEntriesLua,
  keys: ['gate', 'index', '...records'],
  args: ['which', 'bound', 'count', '...accesses'],
  reply: (raw) => {
    const [removed, bytes, settled = 0, seen = 0, memory = 0] = asList(raw);
    return {
      removed: asInteger(removed),
      bytes: asInteger(bytes),
      settled: asInteger(settled),
      seen: asInteger(seen),
      memory: asInteger(memory),
    };
  },
});

export const setCacheEntries = defineScript({
  name: 'set-cache-entries',
  source: setCacheEntriesLua,
  keys: ['gate', 'holds', 'index', '...entries'],
  args: [...GATE_ARGS, 'op', '...items'],
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

export const setMemoryShare = defineScript({
  name: 'set-memory-share',
  source: setMemoryShareLua,
  keys: ['gate'],
  args: ['share'],
  reply: (raw) => asInteger(raw) === 1,
});

export const settleInvalidation = defineScript({
  name: 'settle-invalidation',
  source: settleInvalidationLua,
  keys: ['gate', 'invalidated'],
  args: ['field', 'epoch', 'afterMs'],
  reply: (raw) => asInteger(raw) === 1,
});

export const touchCacheEntry = defineScript({
  name: 'touch-cache-entry',
  source: touchCacheEntryLua,
  keys: ['gate', 'entry', 'index'],
  args: [...GATE_ARGS, 'condition', 'ttlMs', 'graceMs'],
  reply: (raw) => asList(raw),
});
