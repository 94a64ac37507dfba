/** One pass over all jobs that are due: several at once, each for a while, until nothing is due or time is up. */
import type { JobSlice } from './job-slice.ts';
import type { JobStore } from './job-store.ts';

export interface JobsReport {
  /** Slices of jobs that were run. */
  readonly slices: number;
  readonly done: number;
  readonly failed: number;
  /** Ended jobs whose time was over. */
  readonly removed: number;
  /** False: time ran out; the next pass goes on. */
  readonly finished: boolean;
}

const BATCH = 100;
/** Jobs run at once. */
const WIDTH = 4;
/** One slice of a job; then those that wait have their turn. */
const SLICE_MS = 10_000;

interface Pass {
  readonly signal: AbortSignal;
  readonly counts: { slices: number; done: number; failed: number; removed: number };
}

export function createJobPass(deps: {
  readonly store: Pick<JobStore, 'findDue' | 'claim' | 'remove'>;
  readonly slice: JobSlice;
  readonly leaseMs: number;
  /** Told of a job that could not be claimed, read or saved. */
  readonly onError: (id: string, error: unknown) => void;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { store, slice, leaseMs, onError, now } = deps;

  const runOne = async (id: string, { signal, counts }: Pass): Promise<void> => {
    const claimed = await store.claim(id, leaseMs, signal);
    if (claimed === null) return;
    counts.slices++;
    const after = await slice(claimed, { signal, untilMs: now() + SLICE_MS });
    if (after?.status === 'done' || after?.status === 'failed') counts[after.status]++;
  };

  /** @returns what went wrong; one job holds up no other. */
  const runAll = async (ids: readonly string[], pass: Pass): Promise<readonly unknown[]> => {
    const queue = [...ids];
    const failures: unknown[] = [];
    const runNext = async (id: string) => {
      await runOne(id, pass).catch((error: unknown) => {
        onError(id, error);
        failures.push(error);
      });
    };
    const work = async () => {
      for (let id = queue.shift(); id !== undefined && !pass.signal.aborted; id = queue.shift()) await runNext(id);
    };
    await Promise.all(Array.from({ length: WIDTH }, work));
    return failures;
  };

  return async (signal: AbortSignal): Promise<JobsReport> => {
    const pass: Pass = { signal, counts: { slices: 0, done: 0, failed: 0, removed: 0 } };
    for (;;) {
      if (signal.aborted) return { ...pass.counts, finished: false };
      const { due, over } = await store.findDue(BATCH, signal);
      for (const id of over) if (await store.remove(id, signal)) pass.counts.removed++;
      const failures = await runAll(due, pass);
      if (failures.length > 0) throw failures[0];
      if (due.length === 0 && over.length < BATCH) return { ...pass.counts, finished: !signal.aborted };
    }
  };
}
