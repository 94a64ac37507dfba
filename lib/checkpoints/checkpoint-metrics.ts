/** Counts what becomes of checkpoints. */
import type { Job, JobRunner, JsonFields } from '../jobs/job.ts';
import { afterFailure } from '../jobs/step-failure.ts';
import type { Telemetry } from '../metrics/telemetry.ts';

/** The same runner, whose ends are counted: one that is done, with its time and bytes; one that is given up. */
export function withCheckpointMetrics(runner: JobRunner, { count }: Pick<Telemetry, 'count'>): JobRunner {
  const countDone = ({ took_ms, new_bytes }: JsonFields) => {
    count('riptide_checkpoints_total');
    count('riptide_checkpoint_seconds', Number(took_ms) / 1000);
    count('riptide_checkpoint_bytes', Number(new_bytes));
  };

  /** One that is ended by its host is tried again. */
  const countFailure = (job: Job, signal: AbortSignal, error: unknown) => {
    if (!signal.aborted && afterFailure(error, job.attempts).kind === 'fail') count('riptide_checkpoints_failed_total');
  };

  return {
    kind: runner.kind,
    async step(job, signal, report) {
      try {
        const outcome = await runner.step(job, signal, report);
        if (outcome.done !== undefined) countDone(outcome.done);
        return outcome;
      } catch (error) {
        countFailure(job, signal, error);
        throw error;
      }
    },
  };
}
