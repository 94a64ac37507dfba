/** What of a tenant's counters is its cache's. Pure. */
import type { Counters } from '../../gate/counters.ts';

export type CacheStock = Pick<
  Counters,
  'entries' | 'memoryBytes' | 'storageBytes' | 'rawBytes' | 'packedBytes' | 'hotSessionBytes'
>;

/** Bytes without those of hot sessions, and of the objects of spilled ones. Their stubs are small, and counted in. */
export const cacheStock = (counters: Counters): CacheStock => {
  const { entries, memoryBytes, storageBytes, rawBytes, packedBytes, hotSessionBytes, spilledBytes } = counters;
  return {
    entries,
    memoryBytes: Math.max(0, memoryBytes - hotSessionBytes),
    storageBytes: Math.max(0, storageBytes - spilledBytes),
    rawBytes,
    packedBytes,
    hotSessionBytes,
  };
};
