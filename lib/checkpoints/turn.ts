/** One checkpoint, or one restore, at a time: two that read and end the same feeds would each miss what the other was told. */
import { CheckpointRunningError } from '../errors.ts';
import type { Job } from '../jobs/job.ts';
import type { JobReader } from '../jobs/job-reader.ts';
import type { Keys } from '../keys.ts';
import { takeTurn } from '../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';

/** A job that is not heard of for so long has lost its turn; each step takes it again. */
const TURN_MS = 900_000;
/** The same of a holder that has no job yet, or will have none: nobody could tell whether it has ended. */
export const TURN_WITHOUT_JOB_MS = 60_000;

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

  const turn = {
    /**
     * For a job; again, it keeps it. @param forMs it is lost after, unless it is taken again.
     * @throws {CheckpointRunningError} another has it, and has not ended as far as can be told.
     */
    async take(jobId: string, signal?: AbortSignal, forMs: number = TURN_MS): Promise<void> {
      const holder = await call(jobId, forMs, '', signal);
      if (holder === null) return;
      const job = await jobs.find(holder, signal);
      if (job !== null && job.endedAtMs !== null && (await call(jobId, forMs, holder, signal)) === null) return;
      throw new CheckpointRunningError(holder);
    },

    /** Gives it back, if the job has it. */
    giveBack: (jobId: string, signal?: AbortSignal) => call(jobId, 0, '', signal),

    /** Takes it for a job that is started then. @throws as `take` does, and as `start`: then it is given back. */
    async takeFor(jobId: string, start: () => Promise<Job>, signal?: AbortSignal): Promise<Job> {
      await turn.take(jobId, signal, TURN_WITHOUT_JOB_MS);
      try {
        const job = await start();
        if (job.endedAtMs === null) await turn.take(jobId, signal);
        return job;
      } catch (error) {
        await turn.giveBack(jobId);
        throw error;
      }
    },
  };
  return turn;
}
