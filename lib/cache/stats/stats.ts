/** Statistics of the cache: of a tenant from the counters that also enforce and bill, of all from what a schedule has summed up. */

import { type Counters, unpackCounters } from '../../gate/counters.ts';
import type { TenantId } from '../../ids.ts';
import { isoOf } from '../../iso-time.ts';
import type { Keys } from '../../keys.ts';
import { readUsage } from '../../redis/bindings/billing-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { absent } from '../../tenants/tenant-reader.ts';
import { monthPoints } from '../../usage/month-points.ts';
import { type AskedRange, rangeOf } from '../../usage/range.ts';
import { bucketsOf, type SeriesRange } from '../../usage/series.ts';
import { type History, readHistory } from '../../usage/totals.ts';
import { SLOTS } from '../../usage/usage.ts';
import { cacheStock } from './cache-stock.ts';
import type { CacheStatsResponse } from './stats-contract.ts';
import { doneBetween, doneOf, NOTHING_DONE, packingOf, ratesOf } from './stats-rates.ts';
import { NO_SUM, type StatsSum, unpackSum } from './stats-sum-format.ts';

export interface CacheStats {
  /**
   * Of one tenant, live; rates are of the last full minute and the current one. One round trip.
   * @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError}
   * @throws {InvalidRequestError} the series cannot be given; it says which one can.
   */
  ofTenant(id: TenantId, asked?: AskedRange, signal?: AbortSignal): Promise<CacheStatsResponse>;
  /** Of all tenants together, as of the last sum. One round trip. */
  ofAll(signal?: AbortSignal): Promise<CacheStatsResponse>;
}

const MINUTE_MS = 60_000;

export function createCacheStats(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  /** Unix ms: names the points to read. */
  readonly now: () => number;
}): CacheStats {
  const { redis, keys, now } = deps;
  return {
    async ofTenant(id, asked = {}, signal) {
      // A bad range is refused before anything is asked.
      rangeOf(asked, now());
      const { nowMs, values, erased } = await runScript(redis, readUsage, {
        keys: { gate: keys.gate(id), erased: keys.erased(id) },
        args: { fields: ['h', 'm', 'v', ...SLOTS, ...monthPoints(id, now())] },
        kind: 'read',
        signal,
      });
      const [limits = null, counters = null, pending = null, ...points] = values;
      if (limits === null || counters === null) throw absent(erased);
      const history = readHistory([counters, ...points]);
      return {
        tenant_id: id,
        as_of: isoOf(nowMs),
        ...stockOf(unpackCounters(counters)),
        ...recentOf(history, nowMs),
        pending_invalidations: pendingOf(pending),
        series: seriesOf(history, rangeOf(asked, nowMs), nowMs),
      };
    },

    async ofAll(signal) {
      const text = await redis.send(['GET', keys.cacheStats()], { kind: 'read', signal });
      return overall(typeof text === 'string' ? unpackSum(text) : NO_SUM);
    },
  };
}

const stockOf = (counters: Counters) => {
  const { entries, memoryBytes, storageBytes, rawBytes, packedBytes } = cacheStock(counters);
  return {
    total_keys: entries,
    memory_usage_bytes: memoryBytes,
    storage_bytes: storageBytes,
    ...packingOf(rawBytes, packedBytes),
  };
};

/** Rates of the last full minute and the current one. */
function recentOf(history: History, nowMs: number) {
  const fromMs = (Math.floor(nowMs / MINUTE_MS) - 1) * MINUTE_MS;
  const buckets = bucketsOf(history, { step: 'minute', fromMs, toMs: fromMs + 2 * MINUTE_MS }, nowMs);
  const [first, last] = [buckets[0], buckets.at(-1)];
  const done = first && last ? doneBetween(doneOf(first.before), doneOf(last.after)) : NOTHING_DONE;
  return { window: { from: isoOf(fromMs), to: isoOf(nowMs) }, ...ratesOf(done, nowMs - fromMs) };
}

function seriesOf(history: History, range: SeriesRange | null, nowMs: number): CacheStatsResponse['series'] {
  if (range === null) return null;
  return {
    interval: range.step,
    from: isoOf(range.fromMs),
    to: isoOf(range.toMs),
    items: bucketsOf(history, range, nowMs).map(({ fromMs, toMs, before, after }) => ({
      timestamp: isoOf(fromMs),
      ...ratesOf(doneBetween(doneOf(before), doneOf(after)), toMs - fromMs),
      total_keys: after.entries,
      memory_usage_bytes: after.memoryBytes - after.hotSessionBytes,
    })),
  };
}

/** Field `v` of the gate: includes/epochs.lua. */
function pendingOf(text: string | null): number {
  const [, all = '0', namespaces = '0', tags = '0'] = text?.split(',') ?? [];
  return (all === '0' ? 0 : 1) + Number(namespaces) + Number(tags);
}

function overall(sum: StatsSum): CacheStatsResponse {
  const { asOfMs, fromMs, toMs, tenants, done } = sum;
  return {
    tenant_id: null,
    as_of: asOfMs === 0 ? null : isoOf(asOfMs),
    tenants,
    total_keys: sum.entries,
    memory_usage_bytes: sum.memoryBytes,
    storage_bytes: sum.storageBytes,
    window: asOfMs === 0 ? null : { from: isoOf(fromMs), to: isoOf(toMs) },
    ...ratesOf(done, toMs - fromMs),
    ...packingOf(sum.rawBytes, sum.packedBytes),
    series: null,
  };
}
