/** What statistics say of counters. Pure. */
import type { Totals } from '../../usage/totals.ts';
import type { CacheRates } from './stats-contract.ts';

/** What was done in a time; all only grow. */
export interface Done {
  readonly operations: number;
  readonly hits: number;
  readonly misses: number;
  readonly accessUs: number;
}

export const NOTHING_DONE: Done = { operations: 0, hits: 0, misses: 0, accessUs: 0 };

/** Between two states; a counter that was set back counts as nothing. */
export function doneBetween(before: Done, after: Done): Done {
  const grown = (name: keyof Done) => Math.max(0, after[name] - before[name]);
  return { operations: grown('operations'), hits: grown('hits'), misses: grown('misses'), accessUs: grown('accessUs') };
}

export const addDone = (a: Done, b: Done): Done => ({
  operations: a.operations + b.operations,
  hits: a.hits + b.hits,
  misses: a.misses + b.misses,
  accessUs: a.accessUs + b.accessUs,
});

/** @param ms how long the time was; 0: nothing is said of a rate. */
export function ratesOf({ operations, hits, misses, accessUs }: Done, ms: number): CacheRates {
  const reads = hits + misses;
  return {
    hits,
    misses,
    hit_rate: reads === 0 ? null : rounded(hits / reads),
    miss_rate: reads === 0 ? null : rounded(1 - hits / reads),
    avg_access_time_us: reads === 0 || accessUs === 0 ? null : rounded(accessUs / reads),
    ops_per_second: ms <= 0 ? 0 : rounded((operations * 1_000) / ms),
  };
}

/** What compression comes to. */
export const packingOf = (rawBytes: number, packedBytes: number) => ({
  avg_compression_ratio: packedBytes === 0 ? null : rounded(rawBytes / packedBytes),
  raw_bytes: rawBytes,
  packed_bytes: packedBytes,
  saved_bytes: rawBytes - packedBytes,
});

/** Totals have what is done, and more. */
export const doneOf = ({ operations, hits, misses, accessUs }: Totals): Done => ({
  operations,
  hits,
  misses,
  accessUs,
});

/** To 6 digits behind the point. */
const rounded = (value: number) => Math.round(value * 1_000_000) / 1_000_000;
