/** How fast a job comes on, and when it may be done. Pure. */
import type { JobProgress } from './contract.ts';
import type { Job } from './job.ts';

/** Stored with the job. */
export interface JobPace {
  /** Of the progress that was last taken into account. */
  readonly done: number;
  readonly unit: string;
  /** Unix ms of then. */
  readonly atMs: number;
  /** Milliseconds a unit takes, smoothed; null: it cannot be told yet. */
  readonly unitMs: number | null;
}

/** Less time than this between two looks says nothing. */
const MIN_SAMPLE_MS = 1_000;
/** What is older counts e times less. */
const MEMORY_MS = 30_000;
/** Later than expected by more than this: the pace has changed, and nothing can be told. */
const MAX_OVERDUE_MS = 30_000;

/**
 * The pace after a look at the progress. Begins anew when something else is counted, or the work goes back.
 * @param startedMs Unix ms of when nothing was done yet.
 */
export function nextPace(
  last: JobPace | undefined,
  { done, unit }: JobProgress,
  { nowMs, startedMs }: { readonly nowMs: number; readonly startedMs: number },
): JobPace {
  const before = last ?? { done: 0, unit, atMs: startedMs, unitMs: null };
  if (before.unit !== unit || before.done > done) return { done, unit, atMs: nowMs, unitMs: null };
  const tookMs = nowMs - before.atMs;
  if (before.done === done || tookMs < MIN_SAMPLE_MS) return before;
  const sampleMs = tookMs / (done - before.done);
  const weight = before.unitMs === null ? 1 : 1 - Math.exp(-tookMs / MEMORY_MS);
  const unitMs = (before.unitMs ?? 0) * (1 - weight) + sampleMs * weight;
  return { done, unit, atMs: nowMs, unitMs: Math.round(unitMs * 1_000) / 1_000 };
}

/** Whole seconds until it is done, at this pace; null: it cannot be told, or nothing is left to do. */
export function etaSeconds({ status, progress, pace }: Pick<Job, 'status' | 'progress' | 'pace'>, nowMs: number) {
  const isOpen = status === 'queued' || status === 'running';
  if (!isOpen || progress.total === null || !pace || pace.unitMs === null || pace.unit !== progress.unit) return null;
  const leftMs = Math.max(0, progress.total - pace.done) * pace.unitMs - (nowMs - pace.atMs);
  return leftMs < -MAX_OVERDUE_MS ? null : Math.max(0, Math.ceil(leftMs / 1_000));
}

/** Whole percent, rounded down: 100 when all is done; null: there is no total. */
export function percentOf({ done, total }: JobProgress): number | null {
  if (total === null) return null;
  return total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 100));
}
