/** One checkpoint, or one restore, at a time: two that read and end the same feeds would each miss what the other was told. */
import { CheckpointRunningError } from '../errors.ts';
import type { JobReader } from '../jobs/job-reader.ts';
import type { Keys } from '../keys.ts';
import { takeTurn } from '../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';

/** A job that is not heard of for so long has lost its turn; each step takes it again. */
const TURN_MS = 900_000;

export type Turn = ReturnType<typeof createTurn>;

export function createTurn(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly jobs: Pick<JobReader, 'find'>;
}) {
  const { redis, keys, jobs } = deps;
  const call = (token: string, forMs: number, instead: string, signal?: AbortSignal) =>
    runScript(redis, takeTurn, {
      keys: { turn: keys.checkpointJob() },
      args: { token, forMs, instead },
      kind: 'write',
      signal,
    });

  return {
    /** For a job; again, it keeps it. @throws {CheckpointRunningError} another job has it, and has not ended. */
    async take(jobId: string, signal?: AbortSignal): Promise<void> {
      const holder = await call(jobId, TURN_MS, '', signal);
      if (holder === null) return;
      const job = await jobs.find(holder, signal);
      if (job === null || job.endedAtMs !== null) {
        if ((await call(jobId, TURN_MS, holder, signal)) === null) return;
      }
      throw new CheckpointRunningError(holder);
    },

    /** Gives it back, if the job has it. */
    giveBack: (jobId: string, signal?: AbortSignal) => call(jobId, 0, '', signal),
  };
}
