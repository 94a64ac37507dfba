/** The part of the tour that is about the cache. */
import type { Act } from '../stage.ts';
import { proveEviction } from './prove-eviction.ts';
import { proveGrace } from './prove-grace.ts';
import { proveLargeValue } from './prove-large-value.ts';
import { proveStampede } from './prove-stampede.ts';
import { proveStats } from './prove-stats.ts';
import { proveWarming } from './prove-warming.ts';

export const CACHE_ACTS: readonly Act[] = [
  proveWarming,
  proveStampede,
  proveGrace,
  proveLargeValue,
  proveEviction,
  proveStats,
];
