/** The job `checkpoint`: writes one in steps, then retires what is not kept any more. */

import { newCheckpointId } from '../ids.ts';
import type { Job, JobRunner, JsonFields, ReportProgress, StepOutcome } from '../jobs/job.ts';
import type { CheckpointManifest, CheckpointType } from './format/manifest-schema.ts';
import type { AbandonedLoads } from './restore/abandoned-loads.ts';
import type { Retirement, RetirementReport } from './retirement.ts';
import type { Turn } from './turn.ts';
import type { CheckpointOrder, CheckpointWriter, WriterCursor } from './writing/checkpoint-writer.ts';

export const CHECKPOINT_JOB = 'checkpoint';

export interface CheckpointParams {
  readonly type: CheckpointType;
  readonly description: string | null;
  readonly cache: boolean;
  readonly config_version: number | null;
}

/** A step writes for so long. */
const STEP_MS = 8_000;
/** It tells so often that it goes on: retiring reads all manifests that are kept, 60 ms for each thousand tenants of each. */
const HEARTBEAT_MS = 5_000;

/** The id of the checkpoint that a job makes. */
export const checkpointOf = ({ id }: Pick<Job, 'id'>): string => newCheckpointId(id.slice('job-'.length));

export function createCheckpointRunner(deps: {
  readonly writer: CheckpointWriter;
  readonly retirement: Retirement;
  readonly turn: Turn;
  readonly abandoned: Pick<AbandonedLoads, 'run'>;
}): JobRunner {
  const { writer, retirement, turn, abandoned } = deps;

  const goOn = async (job: Job, signal: AbortSignal): Promise<StepOutcome> => {
    await turn.take(job.id, signal);
    const order = orderOf(job);
    const until = performance.now() + STEP_MS;
    const isOver = () => performance.now() > until;
    let cursor = (job.cursor as WriterCursor | null) ?? (await writer.begin(order, signal));
    while (cursor.phase !== 'done' && !isOver()) cursor = await writer.step(order, cursor, { signal, isOver });
    const progress = progressOf(job, cursor);
    if (cursor.phase !== 'done') return { cursor: cursor as unknown as JsonFields, progress };
    await abandoned.run(signal);
    const retired = await retirement.run({ runningSinceMs: cursor.startedAtMs }, signal);
    const manifest = await writer.manifest(order.id, signal);
    await turn.giveBack(job.id);
    return { cursor: null, progress: { ...progress, total: progress.done }, done: resultOf(manifest, retired) };
  };

  return {
    kind: CHECKPOINT_JOB,

    async step(job: Job, signal: AbortSignal, report: ReportProgress): Promise<StepOutcome> {
      const heartbeat = setInterval(() => void report(job.progress), HEARTBEAT_MS);
      return goOn(job, signal).finally(() => clearInterval(heartbeat));
    },
  };
}

function orderOf(job: Job): CheckpointOrder {
  const { type, description, cache, config_version } = job.params as unknown as CheckpointParams;
  return { id: checkpointOf(job), type, description, cache, tenants: null, configVersion: config_version };
}

const progressOf = (job: Job, { records, open }: WriterCursor) => ({
  ...job.progress,
  done: records + open.reduce((sum, { lines }) => sum + lines, 0),
});

export function resultOf({ header }: CheckpointManifest, { retired, objects }: RetirementReport): JsonFields {
  const { id, type, tenants, counts, bytes, new_bytes, raw_bytes, base } = header;
  return {
    checkpoint_id: id,
    type,
    started_at: header.started_at,
    finished_at: header.finished_at,
    took_ms: Date.parse(header.finished_at) - Date.parse(header.started_at),
    base,
    tenants,
    cache_entries: counts.cache,
    sessions: counts.session,
    bytes,
    new_bytes,
    raw_bytes,
    retired,
    retired_objects: objects,
  };
}
