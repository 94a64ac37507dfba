/** Statistics of all caches together, as they are stored: JSON. */
import { type Done, NOTHING_DONE } from './stats-rates.ts';

export interface StatsSum {
  /** Unix ms; 0: nothing was summed up yet. */
  readonly asOfMs: number;
  /** The time of `done`: whole minutes. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly tenants: number;
  readonly entries: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly rawBytes: number;
  readonly packedBytes: number;
  readonly done: Done;
}

export const NO_SUM: StatsSum = {
  asOfMs: 0,
  fromMs: 0,
  toMs: 0,
  tenants: 0,
  entries: 0,
  memoryBytes: 0,
  storageBytes: 0,
  rawBytes: 0,
  packedBytes: 0,
  done: NOTHING_DONE,
};

const VERSION = 1;

export const packSum = (sum: StatsSum): string => JSON.stringify({ version: VERSION, ...sum });

/** What another version has written is as if nothing was: the next sum replaces it. */
export function unpackSum(text: string): StatsSum {
  const { version, ...sum } = JSON.parse(text) as StatsSum & { readonly version: number };
  return version === VERSION ? sum : NO_SUM;
}
