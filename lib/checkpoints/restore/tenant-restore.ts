/** Restores one tenant: loads a generation, switches to it, and keeps what was written until then. */

import { unpackCounters } from '../../gate/counters.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { beginFeed, beginGeneration } from '../../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { unpackShare } from '../../sessions/spillover/budget/share-format.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import type { CheckpointTenant, RecordCounts } from '../format/manifest-schema.ts';
import type { LoggedErasures } from '../logged-erasures.ts';
import type { AbandonedLoads } from './abandoned-loads.ts';
import type { Flip } from './flip.ts';
import type { RestoreParams } from './restore-scope.ts';
import { recordsOf } from './restored-source.ts';
import type { Revival } from './revival.ts';
import { findMark, markText } from './switch-mark.ts';
import { LOAD_BEGINS, type LoadCursor, type TenantLoader } from './tenant-loader.ts';

/** What became of a tenant. */
export type TenantOutcome = 'restored' | 'revived' | 'erased' | 'deleted' | 'unknown';

/** A tenant that is being loaded; kept in the job's cursor. */
export interface LoadingTenant {
  /** Null: Redis has lost the tenant. */
  readonly from: number | null;
  readonly to: number;
  /** Epoch of the feed that began before the first record was loaded. */
  readonly since: number;
  readonly load: LoadCursor;
}

export interface TenantStep {
  /** Null: it has ended. */
  readonly loading: LoadingTenant | null;
  readonly outcome: TenantOutcome | null;
  /** The generation that served until now; null: none did. */
  readonly retired: number | null;
  readonly load: LoadCursor;
  /** What the retired generation had; null: it is not known. */
  readonly counts: RecordCounts | null;
}

export interface StepLimits {
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
}

/** It is to be begun anew. */
const AGAIN: TenantStep = { loading: null, outcome: null, retired: null, load: LOAD_BEGINS, counts: null };

export type TenantRestore = ReturnType<typeof createTenantRestore>;

export function createTenantRestore(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly store: CheckpointStore;
  readonly erasures: LoggedErasures;
  readonly loader: TenantLoader;
  readonly flip: Flip;
  readonly revival: Revival;

  readonly abandoned: Pick<AbandonedLoads, 'ofTenant' | 'note'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, store, erasures, loader, flip, revival, abandoned, now } = deps;

  const gateOf = async (id: TenantId, signal: AbortSignal) => {
    const [limits, counters, share] = (await redis.send(['HMGET', keys.gate(id), 'h', 'm', 'b'], {
      kind: 'read',
      signal,
    })) as readonly (string | null)[];
    if (typeof limits !== 'string' || typeof counters !== 'string') return null;
    const { hotSessionBytes } = unpackCounters(counters);
    const { shareBytes } = unpackShare(share ?? null);
    return { limits: unpackLimits(limits), hotBytes: Math.max(hotSessionBytes, shareBytes) };
  };

  /** Null: it may be restored. */
  const endedAs = async (
    id: TenantId,
    gate: Awaited<ReturnType<typeof gateOf>>,
    signal: AbortSignal,
  ): Promise<'deleted' | 'erased' | null> => {
    if (gate !== null) return gate.limits.status === 'deleted' ? 'deleted' : null;
    const isMarked = (await redis.send(['EXISTS', keys.erased(id)], { kind: 'read', signal })) === 1;
    return isMarked || (await erasures.isErased(id, signal)) ? 'erased' : null;
  };

  const begin = async (id: TenantId, signal: AbortSignal): Promise<LoadingTenant | TenantOutcome> => {
    await abandoned.ofTenant(id, signal);
    const gate = await gateOf(id, signal);
    const end = await endedAs(id, gate, signal);
    if (end !== null) return end;
    const feed =
      gate === null
        ? null
        : await runScript(redis, beginFeed, {
            keys: { gate: keys.gate(id), invalidated: keys.invalidated(id) },
            args: {},
            kind: 'write',
            signal,
          });
    await abandoned.note(id, signal);
    const to = await runScript(redis, beginGeneration, {
      keys: { gate: keys.gate(id), generations: keys.generations(id) },
      args: {},
      kind: 'write',
      signal,
    });
    return { from: gate?.limits.generation ?? null, to, since: feed?.epoch ?? 0, load: LOAD_BEGINS };
  };

  const ended = (outcome: TenantOutcome, load: LoadCursor, retired: number | null = null): TenantStep => ({
    loading: null,
    outcome,
    retired,
    load,
    counts: null,
  });

  /** What this restore did already, when its process ended before that was saved. */
  const switchedBefore = async (id: TenantId, restore: string, signal: AbortSignal): Promise<TenantStep | null> => {
    const mark = await findMark({ redis, keys }, id, restore, signal);
    if (mark === null) return null;
    if (mark.outcome === 'revived') await revival.list(id, signal);
    return { ...ended(mark.outcome, mark.load, mark.retired), counts: mark.counts };
  };

  /** Loaded: it is to serve. */
  const switchOver = async (
    id: TenantId,
    loading: LoadingTenant,
    restore: string,
    signal: AbortSignal,
  ): Promise<TenantStep> => {
    const { from, to, since, load } = loading;
    if (from === null) {
      const mark = markText(restore, { outcome: 'revived', retired: null, load });
      const revived = await revival.run(id, to, { stock: load.stock, mark }, signal);
      if (revived === 'given_up') return AGAIN;
      if (revived !== 'done') await abandoned.ofTenant(id, signal);
      return ended(revived === 'done' || revived === 'there' ? 'revived' : revived, load);
    }
    const mark = markText(restore, { outcome: 'restored', retired: from, load });
    const flipped = await flip.run({ id, from, to, stock: load.stock, since, mark }, signal);
    if (flipped?.outcome === 'done' || flipped?.outcome === 'before')
      return (await switchedBefore(id, restore, signal)) ?? ended('restored', load, from);
    // Too many sessions were ended meanwhile, its share of their memory was lowered, or it is another one by now: once more.
    await abandoned.ofTenant(id, signal);
    return flipped?.outcome === 'deleted' ? ended('deleted', LOAD_BEGINS) : AGAIN;
  };

  return {
    gateOf,

    /** Goes on with a tenant until it has ended or `isOver`. With neither an outcome nor anything loading, it is to be begun again. */
    async step(
      line: CheckpointTenant,
      before: LoadingTenant | null,
      { sessions, cache, late }: Pick<RestoreParams, 'sessions' | 'cache' | 'late'>,
      { signal, isOver }: StepLimits,
    ): Promise<TenantStep> {
      const id = line.tenant;
      const done = await switchedBefore(id, late, signal);
      if (done !== null) return done;
      const begun = before ?? (await begin(id, signal));
      if (typeof begun === 'string') return ended(begun, LOAD_BEGINS);
      const gate = begun.from === null ? null : await gateOf(id, signal);
      const options = {
        hotBytes: gate?.hotBytes ?? 0,
        sessions: begun.from !== null || sessions === 'revive',
        cache,
        nowMs: now(),
        isOver,
      };
      const loaded = await loader
        .load(
          { id, generation: begun.to, signal },
          recordsOf(store, line, signal, begun.load.after),
          begun.load,
          options,
        )
        .catch(async (error: unknown) => {
          // What checkpoints have of a tenant goes with it.
          const end = await endedAs(id, await gateOf(id, signal), signal);
          if (end === null) throw error;
          await abandoned.ofTenant(id, signal);
          return end;
        });
      if (typeof loaded === 'string') return ended(loaded, LOAD_BEGINS);
      if (loaded === null) return AGAIN;
      const loading = { ...begun, load: loaded.cursor };
      if (!loaded.ended) return { ...AGAIN, loading, load: loading.load };
      return switchOver(id, loading, late, signal);
    },
  };
}
