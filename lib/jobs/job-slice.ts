/** Runs a claimed job for a while: step by step, each saved before the next begins. */
import { JobStepError } from '../errors.ts';
import type { Job, JobRunner, StepOutcome } from './job.ts';
import { nextPace } from './job-pace.ts';
import type { JobStore } from './job-store.ts';
import { afterFailure, MAX_ATTEMPTS } from './step-failure.ts';
import { createStepRun } from './step-run.ts';

export type JobSlice = ReturnType<typeof createJobSlice>;

export interface SliceLimits {
  /** No step is begun after it; one that is under way is told to end, and is run again later. */
  readonly signal: AbortSignal;
  /** Unix ms: no step but the first is begun after it. */
  readonly untilMs: number;
}

export interface JobSliceDeps {
  readonly store: Pick<JobStore, 'save' | 'heartbeat'>;
  readonly runners: readonly JobRunner[];
  /** From a claim, a saved step or a report until somebody else may have the job; ms. A silent step gets no longer. */
  readonly leaseMs: number;
  /** Told of a step that threw. */
  readonly onFailure: (job: Job, error: unknown) => void;
  /** Told of a job that `signal` has ended the slice of: it is due at once, for whoever comes. */
  readonly onHandedOver: () => void;
  /** Unix ms. */
  readonly now: () => number;
}

export function createJobSlice({ store, runners, leaseMs, onFailure, onHandedOver, now }: JobSliceDeps) {
  const byKind = new Map(runners.map((runner) => [runner.kind, runner]));
  const runStep = createStepRun({ store, leaseMs, now });

  const step = async (job: Job, signal: AbortSignal): Promise<StepOutcome | null> => {
    if (job.attempts > MAX_ATTEMPTS) throw abandoned();
    const runner = byKind.get(job.kind);
    if (runner === undefined) throw new JobStepError('job_kind_unknown', 'This version knows no such kind of job');
    return runStep(runner, job, signal);
  };

  /** Its try does not count. */
  const putOff = async (job: Job): Promise<Job | null> => {
    const saved = await store.save(job, { status: 'running', delayMs: 0, attempts: job.attempts - 1 });
    if (saved !== null) onHandedOver();
    return saved;
  };

  const afterThrow = (job: Job, error: unknown, { signal }: SliceLimits): Promise<Job | null> => {
    if (signal.aborted) return putOff(job);
    onFailure(job, error);
    const next = afterFailure(error, job.attempts);
    if (next.kind === 'fail') return store.save({ ...job, problem: next.problem }, { status: 'failed' });
    return store.save(job, { status: 'running', delayMs: next.delayMs, attempts: job.attempts });
  };

  /** Saves are not bound by `signal`: what was done is to be known. */
  const saveStep = (job: Job, { cursor, progress, done }: StepOutcome, isLast: boolean): Promise<Job | null> => {
    const pace = nextPace(job.pace, progress, { nowMs: now(), startedMs: job.startedAtMs ?? now() });
    const stepped = { ...job, cursor, progress, pace };
    if (done !== undefined) return store.save({ ...stepped, result: done }, { status: 'done' });
    // The next step begins with the save, so a process that is killed in it has tried once.
    const how = isLast ? { delayMs: 0, attempts: 0 } : { delayMs: leaseMs, attempts: 1 };
    return store.save(stepped, { status: 'running', ...how });
  };

  /**
   * @returns the job as it was saved last; null: it was cancelled, or somebody else has it.
   * @throws as Redis does. What was not saved is done again when the lease has ended.
   */
  return async (claimed: Job, limits: SliceLimits): Promise<Job | null> => {
    const { signal, untilMs } = limits;
    if (signal.aborted) return putOff(claimed);
    let job = claimed;
    for (;;) {
      let outcome: StepOutcome | null;
      try {
        outcome = await step(job, signal);
      } catch (error) {
        return afterThrow(job, error, limits);
      }
      if (outcome === null) return null;
      const isLast = signal.aborted || now() >= untilMs;
      const saved = await saveStep(job, outcome, isLast);
      if (saved?.status === 'running' && signal.aborted) onHandedOver();
      if (saved === null || saved.status !== 'running' || isLast) return saved;
      job = saved;
    }
  };
}

/** Claimed as often as may be, and never heard of again: the step ends the process that runs it. */
const abandoned = () => new JobStepError('job_abandoned', `A step was begun ${MAX_ATTEMPTS} times and never ended`);
