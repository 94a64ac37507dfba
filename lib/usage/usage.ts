/** What a tenant uses: now, and over time. From the counters that also enforce and bill. */

import {
  dayPoint,
  hourPoint,
  minutePoint,
  RING_DAYS,
  RING_HOURS,
  RING_MINUTES,
  unpackCounters,
} from '../gate/counters.ts';
import { unpackLimits } from '../gate/gate-fields.ts';
import { periodOf } from '../gate/period.ts';
import type { TenantId } from '../ids.ts';
import { isoOf } from '../iso-time.ts';
import type { Keys } from '../keys.ts';
import { readUsage } from '../redis/bindings/billing-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { absent } from '../tenants/tenant-reader.ts';
import type { TenantUsageResponse, UsageBucket } from './contract.ts';
import { liveUse } from './live-use.ts';
import { monthPoints } from './month-points.ts';
import { type AskedRange, rangeOf } from './range.ts';
import { type Bucket, bucketsOf } from './series.ts';
import { sessionStock } from './session-stock.ts';
import { type History, readHistory, type Totals, totalsOf } from './totals.ts';

export interface UsageRequest extends AskedRange {
  readonly signal?: AbortSignal | undefined;
}

export interface Usage {
  /**
   * What is used now, and, when `fromMs`, `toMs` or `step` is given, the series; one round trip.
   * @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError} it was erased.
   * @throws {InvalidRequestError} the range cannot be given; it says which one can.
   */
  get(id: TenantId, request?: UsageRequest): Promise<TenantUsageResponse>;
}

/** Every slot there is: which of them are of use is known only with Redis' time. Absent ones cost nothing to send. */
export const SLOTS: readonly string[] = [
  ...slots(RING_MINUTES, minutePoint),
  ...slots(RING_HOURS, hourPoint),
  ...slots(RING_DAYS, dayPoint),
];

export interface UsageDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  /** Unix ms: names the points to read. */
  readonly now: () => number;
}

export function createUsage(deps: UsageDeps): Usage {
  const { redis, keys, now } = deps;
  return {
    async get(id, { signal, ...asked } = {}) {
      const wantsSeries = rangeOf(asked, now()) !== null;
      const { nowMs, values, erased } = await runScript(redis, readUsage, {
        keys: { gate: keys.gate(id), erased: keys.erased(id) },
        args: { fields: ['h', 'm', 'r', ...(wantsSeries ? [...SLOTS, ...monthPoints(id, now())] : [])] },
        kind: 'read',
        signal,
      });
      const [limits = null, counters = null, held = null, ...points] = values;
      if (limits === null || counters === null) throw absent(erased);
      const current = unpackCounters(counters);
      return {
        tenant_id: id,
        at: isoOf(nowMs),
        ...liveUse({
          quotas: unpackLimits(limits).quotas,
          counters: current,
          held,
          nowMs,
          monthEndMs: periodOf(nowMs).endMs,
        }),
        total: recordOf(totalsOf(current, nowMs), nowMs),
        series: seriesOf(readHistory([counters, ...points]), asked, nowMs),
      };
    },
  };
}

function seriesOf(history: History, asked: AskedRange, nowMs: number): TenantUsageResponse['series'] {
  const range = rangeOf(asked, nowMs);
  if (range === null) return null;
  return {
    step: range.step,
    from: isoOf(range.fromMs),
    to: isoOf(range.toMs),
    items: bucketsOf(history, range, nowMs).map(itemOf),
  };
}

function itemOf({ fromMs, before, after }: Bucket): UsageBucket {
  const grown = (name: 'operations' | 'hits' | 'misses' | 'bytesIn' | 'bytesOut' | 'computeUs') =>
    Math.max(0, after[name] - before[name]);
  const bytesIn = grown('bytesIn');
  const bytesOut = grown('bytesOut');
  return {
    timestamp: isoOf(fromMs),
    operation_count: grown('operations'),
    data_bytes: bytesIn + bytesOut,
    compute_time_ms: grown('computeUs') / 1_000,
    storage_bytes: after.storageBytes,
    hits: grown('hits'),
    misses: grown('misses'),
    bytes_in: bytesIn,
    bytes_out: bytesOut,
    memory_bytes: after.memoryBytes,
    ...sessionStock(after),
    memory_byte_ms: String(after.memoryByteMs - before.memoryByteMs),
    storage_byte_ms: String(after.storageByteMs - before.storageByteMs),
  };
}

const recordOf = ({ operations, bytesIn, bytesOut, computeUs, storageBytes }: Totals, atMs: number) => ({
  operation_count: operations,
  data_bytes: bytesIn + bytesOut,
  compute_time_ms: computeUs / 1_000,
  storage_bytes: storageBytes,
  timestamp: isoOf(atMs),
});

function slots(count: number, name: (n: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, n) => name(n));
}
