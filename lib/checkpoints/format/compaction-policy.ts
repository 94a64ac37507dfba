import type { CheckpointRun } from './manifest-schema.ts';

/** Runs of a tenant in one manifest: reading it merges as many. */
export const MAX_RUNS = 10;

/** What was written of a tenant last, and how it is now. */
export interface CompactionFacts {
  /** Null: it is in no checkpoint that can be built upon. */
  readonly before: {
    readonly generation: number;
    /** Whether entries of the cache were in it. */
    readonly cache: boolean;
    readonly runs: readonly Pick<CheckpointRun, 'objects'>[];
  } | null;
  readonly generation: number;
  readonly cache: boolean;
  /** Whether the feed still has all changes since. */
  readonly feedReachesBack: boolean;
}

/** Why all of a tenant is written anew. */
export type BaseReason = 'first' | 'generation' | 'cache' | 'feed' | 'runs' | 'bytes';

/**
 * Why all of a tenant must be written anew before another run is added; null: only what changed is. A base is anew when there would be
 * more than {@link MAX_RUNS}, or the runs behind it have more than half of its bytes: so that what is read is at most 1.5
 * times the base and the last run, and what is written again is paid by what changed.
 */
export function whyNewBase({ before, generation, cache, feedReachesBack }: CompactionFacts): BaseReason | null {
  if (before === null || before.runs.length === 0) return 'first';
  if (before.generation !== generation) return 'generation';
  if (before.cache !== cache) return 'cache';
  if (!feedReachesBack) return 'feed';
  if (before.runs.length >= MAX_RUNS) return 'runs';
  const [base = 0, ...later] = before.runs.map(({ objects }) => objects.reduce((sum, { bytes }) => sum + bytes, 0));
  return later.reduce((sum, bytes) => sum + bytes, 0) * 2 > base ? 'bytes' : null;
}
