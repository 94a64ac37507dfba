/** Which tenants' values move between Redis and S3, and how many: cold ones out before memory is full, the latest back in. */
import type { CacheConfig } from '../../config/config.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { type ColdTier, isStoreDown } from './cold-tier.ts';
import type { ColdestEntries } from './coldest-entries.ts';
import type { Eviction } from './eviction.ts';
import type { TenantMemory } from './memory-budget.ts';

/** Shares of a tenant's memory: above the first, values move out until the second; below the third, they come back. */
const SPILL_ABOVE = 0.8;
const SPILL_TO = 0.7;
const WARM_BELOW = 0.6;
/** Entries looked at in one step, and of one tenant in one run. */
const BATCH = 64;
const MAX_LOOKED_AT = 4_096;

interface Pass {
  /** Whether values may come back: not while tenants are held below their quotas. */
  readonly mayWarm: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type Tiering = ReturnType<typeof createTiering>;

export function createTiering(deps: {
  readonly config: Pick<CacheConfig, 'enableWarming' | 'warmingBatchSize'>;
  readonly coldest: ColdestEntries;
  readonly coldTier: Pick<ColdTier, 'spill' | 'warm'>;
  readonly eviction: Pick<Eviction, 'evict'>;
  readonly telemetry: Pick<Telemetry, 'logger'>;
}) {
  const { config, coldest, coldTier, eviction, telemetry } = deps;

  /** @returns how many values were moved, and the memory in use then. */
  const spill = async (tenant: TenantMemory, place: TenantPlace) => {
    const target = limitOf(tenant) * SPILL_TO;
    let { usedBytes } = tenant;
    let room = tenant.storageQuotaBytes - tenant.storageBytes;
    let spilled = 0;
    let after: string | undefined;
    for (let looked = 0; looked < MAX_LOOKED_AT && usedBytes > target && room > 0; looked += BATCH) {
      const found = await coldest.coldest(place.id, place.generation, 'a', {
        count: BATCH,
        after,
        signal: place.signal,
      });
      const { moved, bytes, objectBytes } = await coldTier.spill(place, found, Math.min(usedBytes - target, room));
      spilled += moved;
      usedBytes -= bytes;
      room -= objectBytes;
      after = found.at(-1)?.member;
      if (found.length < BATCH || place.signal?.aborted) break;
    }
    return { spilled, usedBytes };
  };

  /** @returns how many values came back. */
  const warm = async (place: TenantPlace): Promise<number> => {
    let warmed = 0;
    let left = config.warmingBatchSize;
    let after: string | undefined;
    while (left > 0 && !place.signal?.aborted) {
      const page = { count: Math.min(BATCH, left), after, signal: place.signal };
      const found = await coldest.latest(place.id, place.generation, 's', page);
      warmed += (await coldTier.warm(place, found, WARM_BELOW * 1_000)).moved;
      after = found.at(-1)?.member;
      left -= found.length;
      if (found.length < page.count) break;
    }
    return warmed;
  };

  return {
    /** Tenant by tenant. While S3 does not answer, nothing is moved; who is above the limit gets room even so. */
    async run(tenants: readonly TenantMemory[], { mayWarm, signal }: Pass) {
      const report = { spilled: 0, evicted: 0, warmed: 0 };
      let storeDown = false;
      const unlessDown = async <T>(otherwise: T, work: () => Promise<T>): Promise<T> => {
        if (storeDown) return otherwise;
        try {
          return await work();
        } catch (error) {
          if (!isStoreDown(error)) throw error;
          telemetry.logger.error('Values cannot be moved: S3 does not answer', { error });
          storeDown = true;
          return otherwise;
        }
      };
      for (const tenant of tenants) {
        if (signal?.aborted) break;
        const { id, generation } = tenant;
        const place = { id, generation, signal };
        const limit = limitOf(tenant);
        if (tenant.eviction === 'lru' && tenant.usedBytes > limit * SPILL_ABOVE) {
          const none = { spilled: 0, usedBytes: tenant.usedBytes };
          const { spilled, usedBytes } = await unlessDown(none, () => spill(tenant, place));
          report.spilled += spilled;
          if (usedBytes > limit)
            report.evicted += (
              await eviction.evict(id, generation, { toBytes: limit + tenant.hotSessionBytes, signal })
            ).evicted;
        } else if (
          mayWarm &&
          config.enableWarming &&
          tenant.storageBytes > 0 &&
          tenant.usedBytes < limit * WARM_BELOW
        ) {
          report.warmed += await unlessDown(0, () => warm(place));
        }
      }
      return report;
    },
  };
}

/** What a tenant may use now, bytes. */
const limitOf = ({ quotaBytes, shareBytes }: TenantMemory): number =>
  shareBytes > 0 ? Math.min(quotaBytes, shareBytes) : quotaBytes;
