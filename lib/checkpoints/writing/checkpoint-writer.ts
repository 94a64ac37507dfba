/**
 * Writes a checkpoint in steps, each of which may be the last one of a process: what it has come to is a part in S3, and a cursor.
 * Memory: the frames of a few tenants, and the manifest before.
 */
import type { TenantId } from '../../ids.ts';
import { isoOf } from '../../iso-time.ts';
import type { Keys } from '../../keys.ts';
import { trimFeed } from '../../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { TENANTS_PER_PAGE } from '../../tenants/tenant-pages.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import { buildManifest } from '../format/manifest.ts';
import { joinParts, type PartLine } from '../format/manifest-part.ts';
import type { CheckpointManifest, CheckpointTenant, CheckpointType } from '../format/manifest-schema.ts';
import type { LoggedErasures } from '../logged-erasures.ts';
import { createBaseFinder } from './base-finder.ts';
import type { TenantScan } from './tenant-scan.ts';
import type { OpenTenant, TenantWriter, WriteOptions } from './tenant-writer.ts';

export interface CheckpointOrder {
  readonly id: string;
  readonly type: CheckpointType;
  readonly description: string | null;
  /** Whether entries of the cache are in it. */
  readonly cache: boolean;
  /** Only these tenants; null: all. */
  readonly tenants: readonly TenantId[] | null;
  readonly configVersion: number | null;
}

/** Where a step begins. */
export interface WriterCursor {
  readonly phase: 'write' | 'trim' | 'done';
  /** Unix ms. */
  readonly startedAtMs: number;
  /** The checkpoint that is built upon. */
  readonly base: string | null;
  /** Their names, in the order of the steps. */
  readonly parts: readonly string[];
  /** The last tenant that was looked at; null: none. */
  readonly after: TenantId | null;
  /** No tenant is left to be looked at. */
  readonly looked: boolean;
  /** Tenants looked at, whose run is not begun, and those whose run is not ended. */
  readonly waiting: readonly TenantId[];
  readonly open: readonly OpenTenant[];
  readonly newBytes: number;
  /** Records of the tenants that have ended. */
  readonly records: number;
}

/** Tenants written at once. */
const WIDTH = 4;
const TRIM_BATCH = 500;

export type CheckpointWriter = ReturnType<typeof createCheckpointWriter>;

export function createCheckpointWriter(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly store: CheckpointStore;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly scan: TenantScan;
  readonly writer: TenantWriter;
  readonly erasures: LoggedErasures;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, store, tenants, scan, writer, erasures, now } = deps;
  const findBase = createBaseFinder(store);

  const begin = async (order: CheckpointOrder, signal: AbortSignal): Promise<WriterCursor> => {
    const startedAtMs = now();
    // From here on no object that was in use is deleted.
    await redis.send(['SET', keys.checkpointsOldest(), startedAtMs, 'NX'], { kind: 'write', signal });
    const base = await findBase(order.cache, signal);
    const waiting = order.tenants ?? [];
    const nothing = { parts: [], after: null, open: [], newBytes: 0, records: 0 };
    return { phase: 'write', startedAtMs, base, looked: order.tenants !== null, waiting, ...nothing };
  };

  const optionsOf = ({ cache }: CheckpointOrder, signal: AbortSignal): WriteOptions => ({ cache, signal });

  const beforeOf = async (base: string | null, signal: AbortSignal) => {
    const manifest = base === null ? null : await store.findManifest(base, signal);
    return new Map<TenantId, CheckpointTenant>((manifest?.tenants ?? []).map((line) => [line.tenant, line]));
  };

  const write = async (order: CheckpointOrder, cursor: WriterCursor, signal: AbortSignal, isOver: () => boolean) => {
    const options = optionsOf(order, signal);
    const before = await beforeOf(cursor.base, signal);
    const lines: PartLine[] = [];
    let { after, looked, newBytes, records } = cursor;
    const waiting = [...cursor.waiting];
    const open = [...cursor.open];
    const digests = new Map<TenantId, string>();
    const keep = ({ parts, bytes }: { readonly parts: readonly PartLine[]; readonly bytes: number }) => {
      lines.push(...parts);
      newBytes += bytes;
      for (const part of parts) if (part.part === 'ended') records += part.counts.cache + part.counts.session;
    };

    /** The next page of tenants: those that did not change are taken over at once. */
    const look = async () => {
      const ids = await tenants.listIds({ ...(after === null ? {} : { after }), limit: TENANTS_PER_PAGE });
      for (const found of await scan.look(ids, before, signal)) {
        digests.set(found.tenant, found.stateOf);
        if (found.kept === null) waiting.push(found.tenant);
        else {
          const { state, bytes } = await writer.state(found.tenant, found.before, found.stateOf, signal);
          keep({ parts: found.kept(state), bytes });
        }
      }
      after = ids.at(-1) ?? after;
      looked = ids.length < TENANTS_PER_PAGE;
    };

    const beginNext = async (id: TenantId) => {
      const stateOf = digests.get(id) ?? (await scan.stateOf(id, signal));
      const begun = await writer.begin(id, before.get(id) ?? null, options, stateOf);
      keep(begun);
      return begun.open;
    };

    const work = async () => {
      while (!isOver() && !signal.aborted) {
        const next = open.shift() ?? null;
        const id = next === null ? waiting.shift() : undefined;
        if (next === null && id === undefined) return;
        const begun = next ?? (await beginNext(id as TenantId));
        if (begun === null) continue;
        const written = await writer.write(begun, options, isOver);
        keep(written);
        if (written.again) waiting.push(begun.tenant);
        if (written.open !== null) {
          open.push(written.open);
          return;
        }
      }
    };

    while (!isOver() && !signal.aborted) {
      if (waiting.length + open.length < WIDTH && !looked) await look();
      await settled(Array.from({ length: WIDTH }, work));
      if (looked && waiting.length + open.length === 0) break;
    }
    signal.throwIfAborted();
    const written = lines.length > 0 ? [await store.putPart(order.id, lines, signal)] : [];
    const parts = [...cursor.parts, ...written];
    return { ...cursor, parts, after, looked, waiting, open, newBytes, records };
  };

  /** Of tenants that were erased meanwhile: what was written after the erasure had looked. */
  const removeErased = async (
    parts: readonly (readonly PartLine[])[],
    kept: readonly CheckpointTenant[],
    signal: AbortSignal,
  ): Promise<void> => {
    const gone = new Set(parts.flat().map(({ tenant }) => tenant));
    for (const { tenant } of kept) gone.delete(tenant);
    for (const tenant of gone) if (await erasures.isErased(tenant, signal)) await store.deleteTenant(tenant, signal);
  };

  /** The manifest, once: then the checkpoint stands. */
  const finish = async (order: CheckpointOrder, cursor: WriterCursor, signal: AbortSignal) => {
    const parts: (readonly PartLine[])[] = [];
    for await (const part of store.readParts(order.id, cursor.parts, signal)) parts.push(part);
    const tenantLines = await erasures.without(joinParts(parts), signal);
    await removeErased(parts, tenantLines, signal);
    const manifest = buildManifest(
      {
        id: order.id,
        type: order.type,
        description: order.description,
        deployment: await store.deployment(signal),
        started_at: isoOf(cursor.startedAtMs),
        finished_at: isoOf(now()),
        base: cursor.base,
        cache: order.cache,
        config_version: order.configVersion,
        new_bytes: Math.min(cursor.newBytes, bytesOf(tenantLines)),
      },
      tenantLines,
    );
    return store.putManifest(manifest, signal);
  };

  /** What changed before is in the manifest: nobody needs to be told of it any more. */
  const trim = async (order: CheckpointOrder, cursor: WriterCursor, signal: AbortSignal, isOver: () => boolean) => {
    const manifest = await store.getManifest(order.id, signal);
    const before = await beforeOf(cursor.base, signal);
    const changed = manifest.tenants.filter(({ tenant, epoch }) => epoch > 0 && before.get(tenant)?.epoch !== epoch);
    const rest = changed.filter(({ tenant }) => cursor.after === null || tenant > cursor.after);
    for (const { tenant, generation, epoch } of rest) {
      const call = { keys: { gate: keys.gate(tenant), index: keys.index(tenant, generation) } };
      let removed = TRIM_BATCH;
      while (removed === TRIM_BATCH) {
        if (isOver() || signal.aborted) return cursor;
        removed = await runScript(redis, trimFeed, {
          ...call,
          args: { epoch, limit: TRIM_BATCH },
          kind: 'write',
          signal,
        });
      }
      cursor = { ...cursor, after: tenant };
    }
    await store.deleteParts(order.id, signal);
    return { ...cursor, phase: 'done' as const };
  };

  return {
    begin,

    /** One step, until `isOver` or the end of a phase. @throws as Redis and S3 do: the step is to be run again. */
    async step(
      order: CheckpointOrder,
      cursor: WriterCursor,
      { signal, isOver }: { readonly signal: AbortSignal; readonly isOver: () => boolean },
    ): Promise<WriterCursor> {
      if (cursor.phase === 'done') return cursor;
      if (cursor.phase === 'trim') return trim(order, cursor, signal, isOver);
      const written = await write(order, cursor, signal, isOver);
      if (!written.looked || written.waiting.length + written.open.length > 0) return written;
      // Who was away for long may find that it was retired: then what was taken over is gone.
      if (written.base !== null && !(await store.exists(written.base, signal))) return begin(order, signal);
      await finish(order, written, signal);
      // Others build upon what was before it, so they need the changes since then.
      return { ...written, phase: order.type === 'safety' ? 'done' : 'trim', after: null };
    },

    /** Of one that stands. */
    manifest: (id: string, signal?: AbortSignal): Promise<CheckpointManifest> => store.getManifest(id, signal),
  };
}

const bytesOf = (lines: readonly CheckpointTenant[]): number => lines.reduce((sum, { bytes }) => sum + bytes, 0);

/** All have ended before the first failure is told: none goes on writing behind the caller's back. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
