/**
 * Keeps all tenants within the memory there is, each within its own, and what was asked for last in it. By schedule: what a
 * request does at the limit (eviction.ts) is then rarely needed.
 */
import type { CacheConfig } from '../../config/config.ts';
import { unpackContextData } from '../../gate/context-format.ts';
import { unpackCounters } from '../../gate/counters.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import { setMemoryShare } from '../../redis/bindings/cache-invalidation-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScripts, scriptCall } from '../../redis/script.ts';
import { tenantPages } from '../../tenants/tenant-pages.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import { cacheStock } from '../stats/cache-stock.ts';
import { fairShares, type MemoryUse } from './memory-share.ts';
import type { Tiering } from './tiering.ts';

export interface MemoryReport {
  /** Tenants that have a share of the memory, below their quota. */
  readonly shared: number;
  readonly spilled: number;
  readonly evicted: number;
  readonly warmed: number;
}

/** What its gate says of a tenant. */
export interface TenantMemory extends MemoryUse {
  readonly id: TenantId;
  readonly generation: number;
  /** Beside what is used: of the quota they take their part, the memory of caches they do not. */
  readonly hotSessionBytes: number;
  readonly storageBytes: number;
  readonly storageQuotaBytes: number;
  readonly eviction: CacheConfig['evictionPolicy'];
}

export type MemoryBudget = ReturnType<typeof createMemoryBudget>;

export function createMemoryBudget(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<CacheConfig, 'maxMemoryBytes' | 'evictionPolicy'>;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly tiering: Tiering;
  readonly telemetry: Telemetry;
}) {
  const { redis, keys, config, tenants, tiering, telemetry } = deps;

  const readPage = async (page: readonly TenantId[], signal?: AbortSignal): Promise<TenantMemory[]> => {
    const gates = await redis.sendAll(
      page.map((id) => ['HMGET', keys.gate(id), 'h', 'm', 'x', 'v']),
      { kind: 'read', signal },
    );
    return page.flatMap((id, i) => {
      try {
        const fields = gates[i];
        return Array.isArray(fields) ? readTenant(id, fields, config.evictionPolicy) : [];
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
        telemetry.logger.error('The memory of a tenant cannot be read', { tenant_id: id, error });
        return [];
      }
    });
  };

  /** @returns the tenants with the shares that hold now. */
  const share = async (all: readonly TenantMemory[], signal?: AbortSignal): Promise<readonly TenantMemory[]> => {
    const shares = fairShares(all, config.maxMemoryBytes);
    const changed = all.flatMap(({ id, shareBytes }, i) =>
      shares[i] === shareBytes ? [] : [{ id, share: shares[i] }],
    );
    const calls = changed.map(({ id, share = 0 }) =>
      scriptCall(setMemoryShare, { keys: { gate: keys.gate(id) }, args: { share } }),
    );
    if (calls.length > 0) await runScripts(redis, calls, { kind: 'write', signal });
    return all.map((tenant, i) => ({ ...tenant, shareBytes: shares[i] ?? 0 }));
  };

  return {
    /** One pass over all tenants; ends early when `signal` aborts. Safe to run twice, or beside itself. */
    async run(signal?: AbortSignal): Promise<MemoryReport> {
      const all: TenantMemory[] = [];
      for await (const page of tenantPages(tenants, signal)) all.push(...(await readPage(page, signal)));
      // A sum of some tenants only would lift the shares of others.
      if (signal?.aborted) return { shared: 0, spilled: 0, evicted: 0, warmed: 0 };
      const now = await share(all, signal);
      const shared = now.filter(({ shareBytes }) => shareBytes > 0).length;
      return { shared, ...(await tiering.run(now, { mayWarm: shared === 0, signal })) };
    },
  };
}

function readTenant(
  id: TenantId,
  [limits, counters, context, pending]: readonly unknown[],
  deployment: CacheConfig['evictionPolicy'],
): TenantMemory[] {
  if (typeof limits !== 'string' || typeof counters !== 'string') return [];
  const { generation, quotas } = unpackLimits(limits);
  const { memoryBytes, storageBytes, hotSessionBytes } = cacheStock(unpackCounters(counters));
  const { cache } = unpackContextData(typeof context === 'string' ? context : '{}');
  return [
    {
      id,
      generation,
      usedBytes: memoryBytes,
      quotaBytes: Math.max(0, quotas.memory_bytes - hotSessionBytes),
      hotSessionBytes,
      shareBytes: typeof pending === 'string' ? Number(/,(\d+)$/.exec(pending)?.[1] ?? 0) : 0,
      storageBytes,
      storageQuotaBytes: quotas.storage_bytes,
      eviction: cache.eviction ?? deployment,
    },
  ];
}
