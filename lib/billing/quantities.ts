/** What is billed, as whole numbers of any size, and the parts of a period it was used in. */
import type { Totals } from '../usage/totals.ts';
import type { Plan } from './tariff.ts';

export interface Quantities {
  readonly operations: bigint;
  /** Bytes in and out. */
  readonly transferBytes: bigint;
  readonly computeUs: bigint;
  readonly memoryByteMs: bigint;
  readonly storageByteMs: bigint;
}

/** Part of a period in which the tenant had one plan. `toMs` is no longer in it. */
export interface Segment {
  readonly plan: Plan;
  readonly fromMs: number;
  readonly toMs: number;
  readonly used: Quantities;
}

/** What was used from `before` to `after`; never less than nothing, also after a clock was set back. */
export function usedBetween(before: Totals, after: Totals): Quantities {
  const difference = (a: number | bigint, b: number | bigint) => atLeastNothing(BigInt(b) - BigInt(a));
  return {
    operations: difference(before.operations, after.operations),
    transferBytes: difference(before.bytesIn, after.bytesIn) + difference(before.bytesOut, after.bytesOut),
    computeUs: difference(before.computeUs, after.computeUs),
    memoryByteMs: difference(before.memoryByteMs, after.memoryByteMs),
    storageByteMs: difference(before.storageByteMs, after.storageByteMs),
  };
}

/** Both together, exact. */
export const addQuantities = (a: Quantities, b: Quantities): Quantities => ({
  operations: a.operations + b.operations,
  transferBytes: a.transferBytes + b.transferBytes,
  computeUs: a.computeUs + b.computeUs,
  memoryByteMs: a.memoryByteMs + b.memoryByteMs,
  storageByteMs: a.storageByteMs + b.storageByteMs,
});

const atLeastNothing = (value: bigint) => (value < 0n ? 0n : value);
