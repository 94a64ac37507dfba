/** The phases of a restore, each tenant by tenant, until the step is over. */
import { CorruptValueError } from '../../errors.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import type { PartLine } from '../format/manifest-part.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import type { LoggedErasures } from '../logged-erasures.ts';
import { FIRST_OBJECT, verifyTenant } from '../verify-tenant.ts';
import type { AbandonedLoads } from './abandoned-loads.ts';
import type { LateChanges } from './late-changes.ts';
import type { LateManifest } from './late-manifest.ts';
import { keepNamedObjects } from './named-objects.ts';
import { type RestoreCursor, rowFor, type TenantRow, withRow } from './restore-cursor.ts';
import type { StepContext } from './restore-job.ts';
import type { RestorePreview } from './restore-preview.ts';
import type { RestoreReclaim } from './restore-reclaim.ts';
import { sourceOf } from './restored-source.ts';
import type { SessionRestore } from './session-restore.ts';
import type { TenantRestore } from './tenant-restore.ts';

/** Tenants asked about in one round trip. */
const PAGE = 100;

type Tell = (done: number) => Promise<void>;

const recordsIn = ({ counts }: CheckpointTenant): number => counts.cache + counts.session;

export type RestorePhases = ReturnType<typeof createRestorePhases>;

export function createRestorePhases(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly store: CheckpointStore;
  readonly erasures: LoggedErasures;
  readonly restore: TenantRestore;
  readonly sessions: SessionRestore;
  readonly lateChanges: LateChanges;
  readonly lateManifest: LateManifest;
  readonly preview: RestorePreview;
  readonly reclaimAll: RestoreReclaim;
  readonly abandoned: Pick<AbandonedLoads, 'forget'>;
}) {
  const { redis, keys, store, erasures, restore, preview, reclaimAll, lateChanges, lateManifest, sessions, abandoned } =
    deps;

  const behind = (lines: readonly CheckpointTenant[], after: TenantId | null) =>
    after === null ? lines : lines.filter(({ tenant }) => tenant > after);

  const next = (cursor: RestoreCursor, phase: RestoreCursor['phase']): RestoreCursor => ({
    ...cursor,
    phase,
    after: null,
    place: FIRST_OBJECT,
  });

  const isErased = async (id: TenantId, signal: AbortSignal) =>
    (await restore.gateOf(id, signal)) === null && (await erasures.isErased(id, signal));

  /** One session, among those that serve. */
  const oneSession = async ({ params, lines: [line], signal }: StepContext): Promise<TenantRow> => {
    const { scope } = params;
    if (line === undefined || scope.kind !== 'session') throw new CorruptValueError('The restore names no session');
    const gate = await restore.gateOf(line.tenant, signal);
    if (gate === null || gate.limits.status === 'deleted') return rowFor(line, gate === null ? 'unknown' : 'deleted');
    const record = await sessions.find(line, scope.session, signal);
    const place = { id: line.tenant, generation: gate.limits.generation, signal };
    const outcome = await sessions.run(place, record);
    if (outcome === 'no_tenant') return rowFor(line, 'unknown');
    return outcome === 'done' ? rowFor(line, 'session_restored', { sessions: 1 }) : rowFor(line, outcome);
  };

  return {
    /** Those that Redis has, and that are not deleted: a round trip for each 100. */
    async liveOf(lines: readonly CheckpointTenant[], signal: AbortSignal): Promise<readonly TenantId[]> {
      const live: TenantId[] = [];
      for (let at = 0; at < lines.length; at += PAGE) {
        const page = lines.slice(at, at + PAGE);
        const gates = await redis.sendAll(
          page.map(({ tenant }) => ['HGET', keys.gate(tenant), 'h']),
          { kind: 'read', signal },
        );
        for (const [i, limits] of gates.entries()) {
          if (limits instanceof Error) throw limits;
          if (typeof limits === 'string' && unpackLimits(limits).status !== 'deleted')
            live.push((page[i] as CheckpointTenant).tenant);
        }
      }
      return live;
    },

    /** Reads every frame. @throws {CorruptValueError} something is damaged: nothing was touched. */
    async verify(
      cursor: RestoreCursor,
      { params, lines, signal, isOver }: StepContext,
      tell: Tell,
    ): Promise<RestoreCursor> {
      let { after, place, records } = cursor;
      for (const line of behind(lines, after)) {
        if (isOver()) return { ...cursor, after, place, records };
        if (!(await isErased(line.tenant, signal))) {
          for await (const found of verifyTenant(line, sourceOf(store, line, signal), signal, place)) {
            // What checkpoints have of a tenant goes with it.
            if (found.reason !== null && (await isErased(line.tenant, signal))) break;
            if (found.reason !== null)
              throw new CorruptValueError(
                `The checkpoint is damaged, nothing was changed: ${found.reason} (tenant ${line.tenant})`,
              );
            place = found.next;
            await tell(records);
            if (isOver()) return { ...cursor, after, place, records };
          }
        }
        after = line.tenant;
        place = FIRST_OBJECT;
        records += recordsIn(line);
      }
      return { ...next(cursor, params.dry_run ? 'diff' : 'safety'), records };
    },

    async diff(cursor: RestoreCursor, context: StepContext, tell: Tell): Promise<RestoreCursor> {
      let now = cursor;
      for (const line of behind(context.lines, cursor.after)) {
        if (context.isOver()) return now;
        await tell(now.records);
        const row = await preview(line, context);
        now = { ...withRow(now, row), after: line.tenant, records: now.records + recordsIn(line) };
      }
      return next(now, 'done');
    },

    async load(cursor: RestoreCursor, context: StepContext, tell: Tell): Promise<RestoreCursor> {
      const { params, lines, signal, isOver } = context;
      if (params.scope.kind === 'session') return { ...withRow(cursor, await oneSession(context)), phase: 'done' };
      if (cursor.after === null && cursor.loading === null) await keepNamedObjects(deps, signal);
      const safety = cursor.safety === null ? null : await store.getManifest(params.safety, signal);
      const parts: PartLine[] = [];
      let now = cursor;
      for (const line of behind(lines, cursor.after)) {
        let step = await restore.step(line, now.loading, params, { signal, isOver });
        while (step.loading === null && step.outcome === null && !isOver())
          step = await restore.step(line, null, params, { signal, isOver });
        now = { ...now, loading: step.loading };
        await tell(now.records);
        if (step.outcome === null) break;
        await abandoned.forget(line.tenant, signal);
        const before = safety?.tenants.find(({ tenant }) => tenant === line.tenant);
        if (before !== undefined && step.retired !== null)
          parts.push(
            ...(await lateChanges.parts(
              before,
              { retired: step.retired, counts: step.counts, cache: safety?.header.cache ?? true },
              signal,
            )),
          );
        const { stock, terminated, expired, damaged } = step.load;
        const row = rowFor(line, step.outcome, {
          cache: stock.entries,
          sessions: stock.sessions,
          terminated,
          expired,
          damaged,
        });
        now = { ...withRow(now, row), after: line.tenant, records: now.records + recordsIn(line) };
        if (isOver()) break;
      }
      if (parts.length > 0) {
        const name = await store.putPart(params.late, parts, signal);
        const lateWritten = now.lateWritten || parts.some((part) => part.part === 'begun' && part.run !== null);
        now = { ...now, parts: [...now.parts, name], lateWritten };
      }
      const isDone = now.loading === null && now.after === lines.at(-1)?.tenant;
      return isDone ? next(now, 'late') : now;
    },

    /** The checkpoint by which it is undone, when something was written meanwhile. */
    async late(cursor: RestoreCursor, { params, signal }: StepContext): Promise<RestoreCursor> {
      // Written before: the parts may be gone already.
      if (cursor.lateWritten && !(await store.exists(params.late, signal)))
        await lateManifest.write(params, cursor.parts, signal);
      if (cursor.parts.length > 0) await store.deleteParts(params.late, signal);
      // The safety checkpoint stands: what it was made of is not needed.
      if (cursor.safety !== null) await store.deleteParts(params.safety, signal);
      return next(cursor, 'reclaim');
    },

    /**
     * What was replaced of the tenants that an earlier step has done: it is in the safety checkpoint, and the cursor says so. So Redis
     * never holds twice more than a step's tenants.
     */
    async reclaimDone(cursor: RestoreCursor, { lines, ...context }: StepContext): Promise<RestoreCursor> {
      const { after } = cursor;
      const done = after === null ? [] : behind(lines, cursor.reclaimed).filter(({ tenant }) => tenant <= after);
      return { ...cursor, reclaimed: await reclaimAll(done, cursor.reclaimed, context) };
    },

    /** The same of all that are left. */
    async reclaim(cursor: RestoreCursor, { lines, ...context }: StepContext): Promise<RestoreCursor> {
      const reclaimed = await reclaimAll(behind(lines, cursor.reclaimed), cursor.reclaimed, context);
      return reclaimed === (lines.at(-1)?.tenant ?? null) ? next(cursor, 'done') : { ...cursor, reclaimed };
    },
  };
}
