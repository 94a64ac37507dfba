/** Runs a claimed job for a while: step by step, each saved before the next begins. */
import { JobStepError } from '../errors.ts';
import type { Job, JobRunner, StepOutcome } from './job.ts';
import type { JobStore } from './job-store.ts';
import { afterFailure, MAX_ATTEMPTS } from './step-failure.ts';

export type JobSlice = ReturnType<typeof createJobSlice>;

export interface SliceLimits {
  /** No step is begun after it; one that is under way is told to end, and is run again later. */
  readonly signal: AbortSignal;
  /** Unix ms: no step but the first is begun after it. */
  readonly untilMs: number;
}

export interface JobSliceDeps {
  readonly store: Pick<JobStore, 'save'>;
  readonly runners: readonly JobRunner[];
  /** From a claim or a saved step until somebody else may have the job; ms. A step gets no longer. */
  readonly leaseMs: number;
  /** Told of a step that threw. */
  readonly onFailure: (job: Job, error: unknown) => void;
  /** Unix ms. */
  readonly now: () => number;
}

export function createJobSlice({ store, runners, leaseMs, onFailure, now }: JobSliceDeps) {
  const byKind = new Map(runners.map((runner) => [runner.kind, runner]));

  const step = async (job: Job, signal: AbortSignal): Promise<StepOutcome> => {
    if (job.attempts > MAX_ATTEMPTS) throw abandoned();
    const runner = byKind.get(job.kind);
    if (runner === undefined) throw new JobStepError('job_kind_unknown', 'This version knows no such kind of job');
    const lease = AbortSignal.timeout(leaseMs);
    return runner.step(job, AbortSignal.any([signal, lease])).catch((error: unknown) => {
      throw lease.aborted ? new JobStepError('job_step_timeout', 'A step took longer than it may') : error;
    });
  };

  /** Its try does not count. */
  const putOff = (job: Job) => store.save(job, { status: 'running', delayMs: 0, attempts: job.attempts - 1 });

  const afterThrow = (job: Job, error: unknown, { signal }: SliceLimits): Promise<Job | null> => {
    if (signal.aborted) return putOff(job);
    onFailure(job, error);
    const next = afterFailure(error, job.attempts);
    if (next.kind === 'fail') return store.save({ ...job, problem: next.problem }, { status: 'failed' });
    return store.save(job, { status: 'running', delayMs: next.delayMs, attempts: job.attempts });
  };

  /** Saves are not bound by `signal`: what was done is to be known. */
  const saveStep = (job: Job, { cursor, progress, done }: StepOutcome, isLast: boolean): Promise<Job | null> => {
    const stepped = { ...job, cursor, progress };
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
      let outcome: StepOutcome;
      try {
        outcome = await step(job, signal);
      } catch (error) {
        return afterThrow(job, error, limits);
      }
      const isLast = signal.aborted || now() >= untilMs;
      const saved = await saveStep(job, outcome, isLast);
      if (saved === null || saved.status !== 'running' || isLast) return saved;
      job = saved;
    }
  };
}

/** Claimed as often as may be, and never heard of again: the step ends the process that runs it. */
const abandoned = () => new JobStepError('job_abandoned', `A step was begun ${MAX_ATTEMPTS} times and never ended`);
