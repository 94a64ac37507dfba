/** Runs one step of a job under its lease, which ends the step unless it tells in time how far it is. */
import { JobStepError } from '../errors.ts';
import type { JobProgress } from './contract.ts';
import type { Job, JobRunner, ReportProgress, StepOutcome } from './job.ts';
import { unpackJob } from './job-format.ts';
import { nextPace } from './job-pace.ts';
import type { JobStore } from './job-store.ts';

export interface StepRunDeps {
  readonly store: Pick<JobStore, 'heartbeat'>;
  readonly leaseMs: number;
  /** Unix ms. */
  readonly now: () => number;
}

/** Between two reports that are kept, at least; less when the lease is short. */
const REPORT_MS = 5_000;

/** @returns runs a step: what it has come to; null: the job is not the caller's any more. @throws what the step throws. */
export function createStepRun({ store, leaseMs, now }: StepRunDeps) {
  const everyMs = Math.min(REPORT_MS, leaseMs / 6);

  return async (runner: JobRunner, job: Job, signal: AbortSignal): Promise<StepOutcome | null> => {
    const lease = createLease(leaseMs);
    let held = job;
    let isLost = false;
    let lastMs = now();
    let saving: Promise<void> | undefined;

    const save = async (progress: JobProgress): Promise<void> => {
      const pace = nextPace(held.pace, progress, { nowMs: now(), startedMs: job.startedAtMs ?? now() });
      let kept = await store.heartbeat({ ...held, progress, pace }, leaseMs);
      if (kept.state === 'moved')
        kept = await store.heartbeat({ ...held, ...timesOf(kept.job), progress, pace }, leaseMs);
      isLost = kept.state === 'lost';
      if (kept.state === 'lost') return lease.end();
      held = unpackJob(kept.job);
      lease.renew();
    };

    const report: ReportProgress = (progress) => {
      if (saving !== undefined) return saving;
      if (lease.isOver() || now() - lastMs < everyMs) return Promise.resolve();
      lastMs = now();
      const end = () => {
        saving = undefined;
      };
      // One that could not be kept ends nothing: the next may be, and where none is, the lease ends.
      saving = save(progress).then(end, end);
      return saving;
    };

    try {
      return await runner.step(job, AbortSignal.any([signal, lease.signal]), report);
    } catch (error) {
      if (isLost) return null;
      throw lease.signal.aborted ? new JobStepError('job_step_timeout', 'A step took longer than it may') : error;
    } finally {
      lease.close();
      // Before whatever is saved next: it is to be the last word.
      await saving;
    }
  };
}

const timesOf = (text: string) => ({ updatedAtMs: unpackJob(text).updatedAtMs });

function createLease(leaseMs: number) {
  const controller = new AbortController();
  let isOver = false;
  const end = () => controller.abort();
  const timer = setTimeout(end, leaseMs);
  timer.unref();
  return {
    signal: controller.signal,
    isOver: () => isOver || controller.signal.aborted,
    renew: () => void (controller.signal.aborted || isOver || timer.refresh()),
    end,
    /** The step has ended: what it still reports is nobody's business. */
    close(): void {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
