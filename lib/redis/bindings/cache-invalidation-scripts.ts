/** Bindings: cache entries: invalidation, and what frees memory. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import invalidateCacheLua from '../scripts/invalidate-cache.lua';
import invalidateTenantCacheLua from '../scripts/invalidate-tenant-cache.lua';
import moveCacheEntryLua from '../scripts/move-cache-entry.lua';
import removeCacheEntriesLua from '../scripts/remove-cache-entries.lua';
import setMemoryShareLua from '../scripts/set-memory-share.lua';
import settleInvalidationLua from '../scripts/settle-invalidation.lua';
import { GATE_ARGS } from './gate-args.ts';

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
