/** The job `verify-checkpoint`: reads all that a checkpoint names, and keeps in S3 what was found. Changes nothing else. */
import type { TenantKeys } from '../crypto/tenant-keys.ts';
import { NotFoundError } from '../errors.ts';
import { EMPTY_CONTEXT } from '../gate/context-format.ts';
import type { TenantId } from '../ids.ts';
import { isoOf } from '../iso-time.ts';
import type { Job, JobRunner, JsonFields, ReportProgress, StepOutcome } from '../jobs/job.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { type CheckpointStore, isUnreadable } from './checkpoint-store.ts';
import type { CheckpointManifest, CheckpointTenant } from './format/manifest-schema.ts';
import { type CheckpointVerdict, MAX_PROBLEMS, VERDICT_FORMAT, type VerifyProblem } from './format/verdict.ts';
import type { LoggedErasures } from './logged-erasures.ts';
import { FIRST_OBJECT, type VerifiedObject, type VerifyPlace, verifyTenant } from './verify-tenant.ts';

export const VERIFY_JOB = 'verify-checkpoint';

export interface VerifyParams {
  readonly checkpoint_id: string;
}

/** Where a step begins, and what those before have found. */
interface VerifyCursor {
  /** The last tenant that was read; null: none. */
  readonly after: TenantId | null;
  /** In the tenant behind it. */
  readonly place: VerifyPlace;
  /** Passed by, whether read or not. */
  readonly passedBytes: number;
  readonly objects: number;
  readonly frames: number;
  readonly bytes: number;
  readonly damaged: number;
  readonly erased: number;
  readonly problems: readonly VerifyProblem[];
}

const STEP_MS = 8_000;
const PAGE = 100;
const NOTHING = { objects: 0, frames: 0, bytes: 0, damaged: 0, erased: 0, problems: [] };
const AT_FIRST: VerifyCursor = { after: null, place: FIRST_OBJECT, passedBytes: 0, ...NOTHING };

export function createVerifyRunner(deps: {
  readonly store: CheckpointStore;
  readonly erasures: LoggedErasures;
  readonly tenantKeys: Pick<TenantKeys, 'refs'>;
  readonly telemetry: Pick<Telemetry, 'count'>;
  /** Unix ms. */
  readonly now: () => number;
}): JobRunner {
  const { store, erasures, tenantKeys, telemetry, now } = deps;

  /** The keys are asked for when something is sealed; Redis is not: it may be empty. */
  const sourceOf = async (line: CheckpointTenant, signal: AbortSignal) => {
    const keys = isSealed(line) ? await tenantKeys.refs(line.tenant, signal) : [];
    return store.sourceOf(line.tenant, { ...EMPTY_CONTEXT, keys }, signal);
  };

  /** What is gone because the whole checkpoint is, or the tenant, is no damage. */
  const isGoneOnPurpose = async (id: string, tenant: TenantId, signal: AbortSignal): Promise<boolean> => {
    if (!(await store.exists(id, signal))) throw gone();
    return erasures.isErased(tenant, signal);
  };

  const readOn = async (manifest: CheckpointManifest, from: VerifyCursor, { signal, isOver, report }: Step) => {
    let cursor = from;
    const rest = manifest.tenants.filter(({ tenant }) => cursor.after === null || tenant > cursor.after);
    for (let at = 0; at < rest.length; at += PAGE) {
      const page = rest.slice(at, at + PAGE);
      const there = new Set(await erasures.without(page, signal));
      for (const line of page) {
        const read = there.has(line)
          ? await readTenant(manifest.header.id, line, cursor, { signal, isOver, report })
          : passedBy(cursor, line);
        cursor = read.cursor;
        if (!read.ended) return { cursor, ended: false };
      }
    }
    return { cursor, ended: true };
  };

  const readTenant = async (id: string, line: CheckpointTenant, from: VerifyCursor, step: Step) => {
    const { signal, isOver, report } = step;
    let cursor = from;
    const source = await sourceOf(line, signal);
    for await (const object of verifyTenant(line, source, signal, cursor.place)) {
      if (object.reason !== null && (await isGoneOnPurpose(id, line.tenant, signal))) return passedBy(from, line);
      cursor = withObject(cursor, line.tenant, object);
      await report(cursor.passedBytes);
      if (isOver()) return { cursor, ended: false };
    }
    return { cursor: { ...cursor, after: line.tenant, place: FIRST_OBJECT }, ended: true };
  };

  const finish = async (id: string, found: Found, signal: AbortSignal): Promise<JsonFields> => {
    const { objects, frames, bytes, damaged, erased, problems } = found;
    const ok = damaged === 0;
    const counts = { objects, frames, bytes, damaged, erased, problems };
    await store.putVerdict(id, { format: VERDICT_FORMAT, at: isoOf(now()), ok, ...counts }, signal);
    if (!(await store.exists(id, signal))) {
      await store.deleteVerdict(id, signal);
      throw gone();
    }
    telemetry.count('riptide_checkpoints_verified_total');
    if (!ok) telemetry.count('riptide_checkpoints_damaged_total');
    return { checkpoint_id: id, ok, ...counts, problems: problems.map(toShownProblem) };
  };

  /** Null: it cannot be read. As it stands now, when this begins. */
  const manifestOf = async (id: string, isFirst: boolean, signal: AbortSignal) => {
    const found = await (isFirst ? store.readManifest(id, signal) : store.findManifest(id, signal));
    if (found === null) throw gone();
    return found;
  };

  return {
    kind: VERIFY_JOB,

    async step(job: Job, signal: AbortSignal, report: ReportProgress): Promise<StepOutcome> {
      const { checkpoint_id: id } = job.params as unknown as VerifyParams;
      const from = (job.cursor as unknown as VerifyCursor | null) ?? AT_FIRST;
      let manifest: CheckpointManifest;
      try {
        manifest = await manifestOf(id, job.cursor === null, signal);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        const problem = { tenant: null, object: null, reason: (error as Error).message };
        const done = await finish(id, { ...NOTHING, damaged: 1, problems: [problem] }, signal);
        return { cursor: null, progress: { ...job.progress, total: job.progress.done }, done };
      }
      const until = performance.now() + STEP_MS;
      const total = manifest.header.bytes;
      const progressOf = (done: number) => ({ done: Math.min(done, total), total, unit: 'bytes' });
      const step = {
        signal,
        isOver: () => performance.now() > until,
        report: (done: number) => report(progressOf(done)),
      };
      const { cursor, ended } = await readOn(manifest, from, step);
      const progress = progressOf(cursor.passedBytes);
      if (!ended) return { cursor: cursor as unknown as JsonFields, progress };
      return { cursor: null, progress, done: await finish(id, cursor, signal) };
    },
  };
}

interface Step {
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
  /** @param done bytes. */
  readonly report: (done: number) => Promise<void>;
}

type Found = Pick<CheckpointVerdict, 'objects' | 'frames' | 'bytes' | 'damaged' | 'erased' | 'problems'>;

const gone = () => new NotFoundError('checkpoint_not_found', 'The checkpoint was removed');

const isSealed = ({ state, runs }: CheckpointTenant): boolean =>
  [...(state === null ? [] : [state]), ...runs.flatMap(({ objects }) => objects)].some(({ frames }) =>
    frames.some(({ sealed }) => sealed),
  );

/** The tenant was erased. */
const passedBy = (cursor: VerifyCursor, { tenant, bytes }: CheckpointTenant) => ({
  cursor: {
    ...cursor,
    after: tenant,
    place: FIRST_OBJECT,
    passedBytes: cursor.passedBytes + bytes,
    erased: cursor.erased + 1,
  },
  ended: true,
});

function withObject(cursor: VerifyCursor, tenant: TenantId, object: VerifiedObject): VerifyCursor {
  const { name, frames, bytes, reason, next } = object;
  const isTold = reason !== null && cursor.problems.length < MAX_PROBLEMS;
  return {
    ...cursor,
    place: next,
    passedBytes: cursor.passedBytes + bytes,
    objects: cursor.objects + 1,
    frames: cursor.frames + frames,
    bytes: cursor.bytes + bytes,
    damaged: cursor.damaged + (reason === null ? 0 : 1),
    problems: isTold ? [...cursor.problems, { tenant, object: name, reason }] : cursor.problems,
  };
}

/** As administration is told. */
export const toShownProblem = ({ tenant, object, reason }: VerifyProblem) => ({ tenant_id: tenant, object, reason });
