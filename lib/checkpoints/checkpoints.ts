/** Checkpoints: made by jobs, listed and read from S3, so that they are there when Redis is empty. */
import type { StateConfig } from '../config/config.ts';
import { CheckpointRunningError } from '../errors.ts';
import { newJobId, newUlid, slotUlid } from '../ids.ts';
import type { Job } from '../jobs/job.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { CHECKPOINT_JOB, type CheckpointParams } from './checkpoint-job.ts';
import type { createCheckpointNow } from './checkpoint-now.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { CheckpointHeader, CheckpointManifest, CheckpointType } from './format/manifest-schema.ts';
import type { Turn } from './turn.ts';

export interface StartCheckpoint {
  readonly type: CheckpointType;
  readonly description?: string | undefined;
  /** Whether entries of the cache are in it. Default: as scheduled ones have them. */
  readonly cache?: boolean | undefined;
  /** A ULID, the operation's: started again under it, the job is the same one. */
  readonly opId?: string | undefined;
  /** Runs the first steps in the call, until so many ms have passed. */
  readonly inlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface CheckpointPage {
  readonly items: readonly (CheckpointHeader | { readonly id: string; readonly readable: false })[];
  readonly nextCursor: string | null;
}

export type Checkpoints = ReturnType<typeof createCheckpoints>;

export function createCheckpoints(deps: {
  readonly store: CheckpointStore;
  readonly jobs: Pick<Jobs, 'start'>;
  readonly turn: Turn;
  readonly config: Pick<StateConfig, 'checkpointCache' | 'checkpointIntervalMs' | 'shutdownCheckpoint'>;
  /** Of the configuration that is active; null: none was made. */
  readonly configVersion: (signal?: AbortSignal) => Promise<number | null>;
  readonly makeNow: ReturnType<typeof createCheckpointNow>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { store, jobs, turn, config, configVersion, makeNow, now } = deps;

  const startJob = async ({ type, description, cache, opId, inlineMs, signal }: StartCheckpoint & { opId: string }) => {
    const params: CheckpointParams = {
      type,
      description: description ?? null,
      cache: cache ?? config.checkpointCache,
      config_version: await configVersion(signal),
    };
    return jobs.start({
      kind: CHECKPOINT_JOB,
      tenantId: null,
      params: { ...params },
      unit: 'records',
      opId,
      ...(inlineMs === undefined ? {} : { inlineMs }),
      signal,
    });
  };

  const start = ({ opId = newUlid(now()), ...order }: StartCheckpoint): Promise<Job> =>
    turn.takeFor(newJobId(opId), () => startJob({ ...order, opId }), order.signal);

  return {
    /**
     * Starts a checkpoint. @returns its job: the checkpoint has the same ULID.
     * @throws {CheckpointRunningError} another one, or a restore, is under way.
     */
    start,

    /** Of a host that stops: all is written when it returns. Null: another one is under way, or none is wanted. */
    async makeLast(signal: AbortSignal): Promise<CheckpointManifest | null> {
      if (!config.shutdownCheckpoint) return null;
      const cache = config.checkpointCache;
      return makeNow(
        { type: 'shutdown', description: null, cache, configVersion: await configVersion(signal) },
        signal,
      );
    },

    /** Starts the one of this slot of the interval, if it was not: however often, or late, it is called. */
    async startDue(signal?: AbortSignal): Promise<{ readonly started: number }> {
      const slotMs = Math.floor(now() / config.checkpointIntervalMs) * config.checkpointIntervalMs;
      try {
        const job = await start({ type: 'scheduled', opId: slotUlid(slotMs), signal });
        if (job.endedAtMs !== null) await turn.giveBack(job.id, signal);
        return { started: job.endedAtMs === null && job.attempts === 0 ? 1 : 0 };
      } catch (error) {
        if (error instanceof CheckpointRunningError) return { started: 0 };
        throw error;
      }
    },

    /** The newest first. @throws {BlobUnavailableError} */
    async list(
      { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
      signal?: AbortSignal,
    ) {
      const ids = (await store.ids(signal)).filter((id) => cursor === undefined || id < cursor);
      const page = ids.slice(0, limit);
      const headers = await store.headers(page, signal);
      const items = page.map((id, i) => headers[i] ?? ({ id, readable: false } as const));
      return { items, nextCursor: ids.length > limit ? (page.at(-1) ?? null) : null } satisfies CheckpointPage;
    },

    /** @throws {NotFoundError} `checkpoint_not_found`. @throws {CorruptValueError | CheckpointFormatError} it cannot be used. */
    get: (id: string, signal?: AbortSignal): Promise<CheckpointManifest> => store.getManifest(id, signal),
  };
}
