/**
 * The job `restore-drill`: loads the newest checkpoint of all tenants beside the data, where nothing reads it, counts what came, and removes it again.
 * So that an operator knows before the day that it can be done, and how long it takes.
 */
import type { BlobStore } from '../../blobs/store.ts';
import { AppError, OutcomeUnknownError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import { isoOf } from '../../iso-time.ts';
import type { Job, JobRunner, JsonFields, ReportProgress, StepOutcome } from '../../jobs/job.ts';
import { type Keys, RESTORE_DRILL } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { type CheckpointStore, isUnreadable } from '../checkpoint-store.ts';
import type { CheckpointManifest, CheckpointTenant } from '../format/manifest-schema.ts';
import type { LoggedErasures } from '../logged-erasures.ts';
import { newestWhole } from '../newest-whole.ts';
import type { AbandonedLoads } from '../restore/abandoned-loads.ts';
import { recordsOf, sourceOf } from '../restore/restored-source.ts';
import { LOAD_BEGINS, type TenantLoader } from '../restore/tenant-loader.ts';
import { FIRST_OBJECT, verifyTenant } from '../verify-tenant.ts';

export const DRILL_JOB = 'restore-drill';

interface DrillCursor {
  readonly checkpoint: string;
  readonly after: TenantId | null;
  readonly tenants: number;
  readonly records: number;
  /** Expired, or damaged before the checkpoint was made. */
  readonly leftOut: number;
  readonly tookMs: number;
  readonly problems: readonly string[];
}

const STEP_MS = 8_000;
/** A tenant may take longer than a job may be silent. */
const HEARTBEAT_MS = 5_000;
const MAX_PROBLEMS = 20;
/** Of the scratch data: nobody else uses it. */
const GENERATION = 1;
const NOTHING = { tenants: 0, records: 0, leftOut: 0, tookMs: 0, problems: [] };

export function createDrillRunner(deps: {
  readonly redis: RedisDriver;
  readonly blobs: Pick<BlobStore, 'put'>;
  /** Of the scratch data. */
  readonly scratch: Keys;
  readonly store: CheckpointStore;
  readonly erasures: LoggedErasures;
  /** Over the scratch keys. */
  readonly loader: TenantLoader;
  /** Of the scratch data. */
  readonly loads: Pick<AbandonedLoads, 'note' | 'forget' | 'removeLoaded' | 'run'>;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
  /** Unix ms. */
  readonly now: () => number;
}): JobRunner {
  const { redis, blobs, scratch, store, erasures, loader, loads, telemetry, now } = deps;

  const verified = async (line: CheckpointTenant, signal: AbortSignal): Promise<string | null> => {
    for await (const { reason } of verifyTenant(line, sourceOf(store, line, signal), signal, FIRST_OBJECT))
      if (reason !== null) return reason;
    return null;
  };

  const drill = async (line: CheckpointTenant, signal: AbortSignal) => {
    const place = { id: line.tenant, generation: GENERATION, signal };
    await loads.note(line.tenant, signal);
    await loads.removeLoaded(line.tenant, GENERATION, signal);
    await redis.send(['ZADD', scratch.generations(line.tenant), 0, GENERATION], { kind: 'write', signal });
    const options = { hotBytes: Number.POSITIVE_INFINITY, sessions: true, cache: true, nowMs: now() };
    const loaded = await loader.load(place, recordsOf(store, line, signal), LOAD_BEGINS, {
      ...options,
      isOver: () => false,
    });
    if (loaded === null) throw new OutcomeUnknownError('Somebody else removed what the drill loaded: it is done again');
    const { cursor } = loaded;
    const command = ['ZLEXCOUNT', scratch.index(line.tenant, GENERATION), '[k\0', '(k\x01'] as const;
    const found = Number(await redis.send(command, { kind: 'read', signal }));
    await loads.removeLoaded(line.tenant, GENERATION, signal);
    await loads.forget(line.tenant, signal);
    const expected = cursor.stock.entries + cursor.stock.sessions;
    const reason = found === expected ? null : `${expected} records were loaded, and ${found} came`;
    return { records: found, leftOut: cursor.expired + cursor.damaged, reason };
  };

  const one = async (cursor: DrillCursor, line: CheckpointTenant, signal: AbortSignal) => {
    const problem = await verified(line, signal);
    if (problem !== null && (await erasures.isErased(line.tenant, signal))) return cursor;
    const done = problem === null ? await drill(line, signal) : { records: 0, leftOut: 0, reason: problem };
    const problems = done.reason === null ? cursor.problems : [...cursor.problems, `${line.tenant}: ${done.reason}`];
    return {
      ...cursor,
      tenants: cursor.tenants + 1,
      records: cursor.records + done.records,
      leftOut: cursor.leftOut + done.leftOut,
      problems: problems.slice(0, MAX_PROBLEMS),
    };
  };

  /** An error: it cannot be used. */
  const manifestOf = async (id: string, signal: AbortSignal): Promise<CheckpointManifest | AppError | 'gone'> => {
    try {
      return (await store.findManifest(id, signal)) ?? 'gone';
    } catch (error) {
      if (error instanceof AppError && isUnreadable(error)) return error;
      throw error;
    }
  };

  /** Kept in S3, and told: as its job does for a week only. */
  const conclude = async (cursor: DrillCursor, signal: AbortSignal): Promise<JsonFields> => {
    const { checkpoint, tenants, records, leftOut, tookMs, problems } = cursor;
    const verdict = {
      format: 'rd1',
      at: isoOf(now()),
      ok: problems.length === 0,
      checkpoint_id: checkpoint,
      tenants,
      records,
      left_out: leftOut,
      took_ms: Math.round(tookMs),
      records_per_second: tookMs > 0 ? Math.round((records * 1_000) / tookMs) : null,
      problems,
    };
    await blobs.put(
      { key: RESTORE_DRILL, body: Buffer.from(JSON.stringify(verdict)), contentType: 'application/json' },
      { signal },
    );
    telemetry.count(verdict.ok ? 'riptide_restore_drills_passed_total' : 'riptide_restore_drills_failed_total');
    if (!verdict.ok) telemetry.logger.error('The restore drill failed', { checkpoint, problems });
    return verdict;
  };

  return {
    kind: DRILL_JOB,

    async step(job: Job, signal: AbortSignal, report: ReportProgress): Promise<StepOutcome> {
      const begun = job.cursor as DrillCursor | null;
      const checkpoint = begun?.checkpoint ?? (await newestWhole(store, signal))?.id;
      if (checkpoint === undefined)
        return { cursor: null, progress: job.progress, done: { ok: null, problems: ['There is no checkpoint'] } };
      // Of one that was cancelled, or never heard of again.
      if (begun === null) await loads.run(signal);
      const started = performance.now();
      let cursor: DrillCursor = begun ?? { checkpoint, after: null, ...NOTHING };
      const manifest = await manifestOf(checkpoint, signal);
      // It was retired meanwhile: the one that is the newest then is as good.
      if (manifest === 'gone') return { cursor: null, progress: job.progress };
      if (manifest instanceof Error) {
        const failed = { ...cursor, problems: [...cursor.problems, manifest.message] };
        return { cursor: null, progress: job.progress, done: await conclude(failed, signal) };
      }
      const total = manifest.header.counts.cache + manifest.header.counts.session;
      for (const line of manifest.tenants.filter(({ tenant }) => cursor.after === null || tenant > cursor.after)) {
        if (performance.now() - started > STEP_MS || signal.aborted) break;
        const tell = () => report({ ...job.progress, done: cursor.records, total });
        const heartbeat = setInterval(() => void tell(), HEARTBEAT_MS);
        const tried = await one(cursor, line, signal).finally(() => clearInterval(heartbeat));
        cursor = { ...tried, after: line.tenant };
      }
      signal.throwIfAborted();
      cursor = { ...cursor, tookMs: cursor.tookMs + performance.now() - started };
      const progress = { ...job.progress, done: cursor.records, total };
      const isDone = cursor.after === (manifest.tenants.at(-1)?.tenant ?? null);
      if (!isDone) return { cursor: cursor as unknown as JsonFields, progress };
      // What was found missing may have gone with the checkpoint.
      if (cursor.problems.length > 0 && !(await store.exists(checkpoint, signal))) return { cursor: null, progress };
      return { cursor: null, progress: { ...progress, total: cursor.records }, done: await conclude(cursor, signal) };
    },
  };
}
