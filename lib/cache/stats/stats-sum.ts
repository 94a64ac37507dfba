/** Sums up the statistics of all tenants: a schedule's work, so that no request walks over them. */

import { minutePoint, unpackCounters } from '../../gate/counters.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { readTogether } from '../../redis/read-together.ts';
import { tenantPages } from '../../tenants/tenant-pages.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import { lastBefore, NO_TOTALS, readHistory, totalsOf } from '../../usage/totals.ts';
import { SLOTS } from '../../usage/usage.ts';
import { cacheStock } from './cache-stock.ts';
import { addDone, type Done, doneBetween, doneOf, NOTHING_DONE } from './stats-rates.ts';
import { NO_SUM, packSum, type StatsSum } from './stats-sum-format.ts';

/** Rates are of so many full minutes. */
const MINUTES = 5;
const MINUTE_MS = 60_000;
/** All points of so many tenants fit in one trip. */
const WHOLE_AT_ONCE = 10;

export interface StatsSumReport {
  /** Tenants summed up. */
  readonly counted: number;
  /** Tenants whose counters could not be read: they are left out. */
  readonly uncounted: number;
}

export type CacheStatsSum = ReturnType<typeof createCacheStatsSum>;

type Texts = readonly (string | null)[];

export function createCacheStatsSum(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly telemetry: Telemetry;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, tenants, telemetry, now } = deps;

  const read = async (ids: readonly TenantId[], fields: readonly string[], signal?: AbortSignal) => {
    const commands = ids.map((id) => ['HMGET', keys.gate(id), 'm', ...fields] as const);
    return (await readTogether(redis, commands, { signal })) as readonly Texts[];
  };

  /** What tenants have done from minute to minute. Those who began after a pause are read with all their points. */
  const readPage = async (ids: readonly TenantId[], fromMinute: number, signal?: AbortSignal) => {
    const fields = Array.from({ length: MINUTES + 1 }, (_, i) => minutePoint(fromMinute - 1 + i));
    const found = await read(ids, fields, signal);
    const sums = ids.map((id, i) => tryRead(id, () => sumOf(found[i] ?? [], fromMinute, false)));
    const unsure = sums.flatMap((sum, i) => (sum !== null && sum.done === null ? [i] : []));
    for (let at = 0; at < unsure.length; at += WHOLE_AT_ONCE) {
      const some = unsure.slice(at, at + WHOLE_AT_ONCE);
      const whole = await read(
        some.map((i) => ids[i] as TenantId),
        SLOTS,
        signal,
      );
      some.forEach((i, n) => {
        sums[i] = tryRead(ids[i] as TenantId, () => sumOf(whole[n] ?? [], fromMinute, true));
      });
    }
    return sums;
  };

  const tryRead = <T>(id: TenantId, work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      telemetry.logger.error('Statistics cannot read a tenant', { tenant_id: id, error });
      return null;
    }
  };

  return {
    /** One pass over all tenants, a round trip for each hundred; what it comes to replaces the last. */
    async run(signal?: AbortSignal): Promise<StatsSumReport> {
      const toMinute = Math.floor(now() / MINUTE_MS);
      const fromMinute = toMinute - MINUTES;
      let sum = { ...NO_SUM, asOfMs: now(), fromMs: fromMinute * MINUTE_MS, toMs: toMinute * MINUTE_MS };
      let uncounted = 0;
      for await (const page of tenantPages(tenants, signal)) {
        for (const one of await readPage(page, fromMinute, signal)) {
          if (one === null) uncounted++;
          else sum = add(sum, one);
        }
      }
      // A part of the tenants is no sum: the last one stays.
      if (!signal?.aborted) await redis.send(['SET', keys.cacheStats(), packSum(sum)], { kind: 'write', signal });
      return { counted: sum.tenants, uncounted };
    },
  };
}

interface TenantSum extends Pick<StatsSum, 'entries' | 'memoryBytes' | 'storageBytes' | 'rawBytes' | 'packedBytes'> {
  /** Null: more points are needed to tell. */
  readonly done: Done | null;
}

const NOTHING: TenantSum = { ...NO_SUM, done: NOTHING_DONE };

/** @param whole all points there are were read, not only those of the minutes asked about and the one before. */
function sumOf(texts: Texts, fromMinute: number, whole: boolean): TenantSum {
  const [counters = null] = texts;
  // A tenant that is being made or erased.
  if (counters === null) return NOTHING;
  const { entries, memoryBytes, storageBytes, rawBytes, packedBytes } = cacheStock(unpackCounters(counters));
  const stock = { entries, memoryBytes, storageBytes, rawBytes, packedBytes };
  const history = readHistory(texts);
  const [fromMs, toMs] = [fromMinute * MINUTE_MS, (fromMinute + MINUTES) * MINUTE_MS];
  const last = lastBefore(history, toMs);
  if (last === undefined || last.minute < fromMinute) return { ...stock, done: NOTHING_DONE };
  const before = lastBefore(history, fromMs);
  if (!whole && before?.minute !== fromMinute - 1) return { ...stock, done: null };
  const start = before === undefined ? NO_TOTALS : totalsOf(before, fromMs);
  return { ...stock, done: doneBetween(doneOf(start), doneOf(totalsOf(last, toMs))) };
}

const add = (sum: StatsSum, one: TenantSum): StatsSum => ({
  ...sum,
  tenants: sum.tenants + 1,
  entries: sum.entries + one.entries,
  memoryBytes: sum.memoryBytes + one.memoryBytes,
  storageBytes: sum.storageBytes + one.storageBytes,
  rawBytes: sum.rawBytes + one.rawBytes,
  packedBytes: sum.packedBytes + one.packedBytes,
  done: addDone(sum.done, one.done ?? NOTHING_DONE),
});
