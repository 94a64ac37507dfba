/** Room in a tenant's memory, made of the tenant's own cache entries: nothing else of it is touched, and nobody else's. */
import type { CacheConfig } from '../../config/config.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { RepeatedShortage } from '../../gate/full.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import { removeCacheEntries } from '../../redis/bindings/cache-invalidation-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { ColdestEntries, FoundEntry } from './coldest-entries.ts';

/** Entries looked at first; as many as one call removes. More when they are small beside what is needed. */
const FIRST_BATCH = 64;
const MAX_BATCH = 500;
/** Of one request: it would be answered too late. */
const MAX_BATCHES = 12;
/**
 * Freed beyond what is needed, so that not every write at the limit has to make room: this share of the limit; twice of it each
 * time that others took what was freed.
 */
const SPARE_SHARE = 1 / 32;

export interface EvictionDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<CacheConfig, 'evictionPolicy'>;
  readonly coldest: ColdestEntries;
  /** Frees what was invalidated and stands there still. @returns how many entries. */
  readonly reclaim: (id: TenantId, generation: number, signal?: AbortSignal) => Promise<number>;
  readonly telemetry: Pick<Telemetry, 'count'>;
}

export interface EvictionCall {
  /** Until the tenant uses so many bytes of memory. */
  readonly toBytes: number;
  /** Redis keys of entries that stay. */
  readonly spared?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export type Eviction = ReturnType<typeof createEviction>;

export function createEviction({ redis, keys, config, coldest, reclaim, telemetry }: EvictionDeps) {
  const remove = (id: TenantId, generation: number, found: readonly FoundEntry[], call: EvictionCall) =>
    runScript(redis, removeCacheEntries, {
      keys: {
        gate: keys.gate(id),
        index: keys.index(id, generation),
        records: [...found.map(({ record }) => record), ...found.map(({ lease }) => lease)],
      },
      args: {
        which: 'coldest',
        bound: Math.max(0, Math.floor(call.toBytes)),
        count: found.length,
        accesses: found.map(({ access }) => access),
      },
      kind: 'write',
      signal: call.signal,
    });

  /**
   * Removes the coldest entries. What others free or write meanwhile counts: of many that make room at once, each only sees that
   * there is enough. An entry written or read after it was chosen stays.
   * @returns how many were removed, and the bytes of memory in use then; null: nothing was there to look at.
   */
  const evict = async (id: TenantId, generation: number, call: EvictionCall) => {
    let evicted = 0;
    let usedBytes: number | null = null;
    for (let batch = 0, count = FIRST_BATCH; batch < MAX_BATCHES; batch++, count = Math.min(MAX_BATCH, count * 2)) {
      const page = { count: count + (call.spared?.length ?? 0), signal: call.signal };
      const all = await coldest.toEvict(id, generation, page);
      const found = all.filter(({ record }) => !call.spared?.includes(record)).slice(0, MAX_BATCH);
      if (found.length === 0) break;
      const { removed, settled, memory } = await remove(id, generation, found, call);
      evicted += removed;
      usedBytes = memory;
      if (removed > 0) telemetry.count('riptide_cache_evicted_total', removed);
      if (memory <= call.toBytes || removed + settled === 0) break;
    }
    return { evicted, usedBytes };
  };

  return {
    evict,

    /** As MakeRoom of make-room.ts. */
    async makeRoom(
      caller: Caller,
      { generation, cache }: TenantContext,
      shortage: RepeatedShortage,
      spared: readonly string[] = [],
    ): Promise<boolean> {
      const { tenantId: id, signal } = caller;
      if ((await reclaim(id, generation, signal)) > 0) return true;
      if ((cache.eviction ?? config.evictionPolicy) === 'none') return false;
      const roomAt = shortage.limit - shortage.held - shortage.needed;
      if (roomAt < 0) return false;
      const toBytes = Math.max(0, roomAt - shortage.limit * SPARE_SHARE * 2 ** (shortage.round ?? 0));
      const { usedBytes } = await evict(id, generation, { toBytes, spared, signal });
      return usedBytes !== null && usedBytes <= roomAt;
    },
  };
}
