/** Makes a checkpoint in the caller's own time, without a job: of a host that stops, whose jobs are handed over to others. */
import { CheckpointRunningError } from '../errors.ts';
import { newCheckpointId, newJobId, newUlid } from '../ids.ts';
import type { CheckpointManifest, CheckpointType } from './format/manifest-schema.ts';
import type { Retirement } from './retirement.ts';
import { TURN_WITHOUT_JOB_MS, type Turn } from './turn.ts';
import type { CheckpointWriter } from './writing/checkpoint-writer.ts';

/** A step writes for so long: then the turn is taken again. */
const STEP_MS = 8_000;

export interface CheckpointNow {
  readonly type: CheckpointType;
  readonly description: string | null;
  /** Whether entries of the cache are in it. */
  readonly cache: boolean;
  readonly configVersion: number | null;
}

export function createCheckpointNow(deps: {
  readonly writer: CheckpointWriter;
  readonly retirement: Retirement;
  readonly turn: Turn;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { writer, retirement, turn, now } = deps;

  /**
   * @returns null: another one, or a restore, is under way.
   * @throws as Redis and S3 do, and when `signal` aborts: there is none then, and the next one has what it would have had.
   */
  return async (order: CheckpointNow, signal: AbortSignal): Promise<CheckpointManifest | null> => {
    const ulid = newUlid(now());
    const token = newJobId(ulid);
    const take = () => turn.take(token, signal, TURN_WITHOUT_JOB_MS);
    try {
      await take();
    } catch (error) {
      if (error instanceof CheckpointRunningError) return null;
      throw error;
    }
    try {
      const whole = { ...order, id: newCheckpointId(ulid), tenants: null };
      let cursor = await writer.begin(whole, signal);
      const { startedAtMs } = cursor;
      while (cursor.phase !== 'done') {
        const until = performance.now() + STEP_MS;
        cursor = await writer.step(whole, cursor, {
          signal,
          isOver: () => signal.aborted || performance.now() > until,
        });
        await take();
      }
      await retirement.run({ runningSinceMs: startedAtMs }, signal);
      return await writer.manifest(whole.id, signal);
    } finally {
      await turn.giveBack(token);
    }
  };
}
