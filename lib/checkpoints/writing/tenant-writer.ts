/** Writes what a checkpoint has of one tenant: what it takes over from the one before, and the run that is new. */
import type { StateConfig } from '../../config/config.ts';
import type { TenantCipher } from '../../crypto/tenant-cipher.ts';
import { unpackContextData } from '../../gate/context-format.ts';
import { unpackCounters } from '../../gate/counters.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import { newUlid, type TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { type BegunFeed, beginFeed } from '../../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import { whyNewBase } from '../format/compaction-policy.ts';
import { createRunWriter } from '../format/frame-writer.ts';
import { epochsFrom, NO_EPOCHS } from '../format/invalidation-epochs.ts';
import type { PartLine } from '../format/manifest-part.ts';
import type { CheckpointTenant, RecordCounts } from '../format/manifest-schema.ts';
import type { ObjectWriterDeps } from '../format/object-writer.ts';
import { writeState } from '../format/state-object.ts';
import type { MovedSessions } from '../walk/moved-sessions.ts';
import type { RecordPages, Walk } from '../walk/record-pages.ts';
import { writePages } from './run-pages.ts';
import { createSlots } from './slots.ts';
import type { TenantStates } from './tenant-state.ts';

/** A tenant whose run is being written; kept in the job's cursor. */
export interface OpenTenant {
  readonly tenant: TenantId;
  readonly generation: number;
  readonly epochs: Walk['epochs'];
  readonly after: string | null;
  readonly counts: RecordCounts;
  /** Lines written so far. */
  readonly lines: number;
  /** When it was begun, Redis' time, Unix ms: what had expired by then is left out. */
  readonly nowMs: number;
  /** That began with it, Unix ms. */
  readonly epoch: number;
}

/** What a step wrote of a tenant. */
export interface Written {
  readonly parts: readonly PartLine[];
  /** Null: it has ended. */
  readonly open: OpenTenant | null;
  /** Its records are of another generation by now, or its feed was cut short while it was read: it is to be begun again. */
  readonly again?: true;
  /** Bytes of the objects written. */
  readonly bytes: number;
}

export interface WriteOptions {
  /** Whether entries of the cache are written. */
  readonly cache: boolean;
  /** Of a generation that serves no more: it changes no more. */
  readonly retired?: boolean;
  readonly signal: AbortSignal;
}

/** Tenants with more than a page that are written at once, whatever a step does at once. */
const LARGE_AT_ONCE = 2;

export type TenantWriter = ReturnType<typeof createTenantWriter>;

export function createTenantWriter(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly store: CheckpointStore;
  readonly cipher: TenantCipher;
  readonly pages: RecordPages;
  readonly moved: MovedSessions;
  readonly states: TenantStates;
  readonly config: Pick<StateConfig, 'checkpointCompression'>;
  /** Unix ms; only in names. */
  readonly now: () => number;
}) {
  const { redis, keys, store, cipher, pages, moved, states, config, now } = deps;
  const slots = createSlots(LARGE_AT_ONCE);

  const gateOf = async (id: TenantId, signal: AbortSignal) => {
    const [limits, counters, context, feed] = (await redis.send(['HMGET', keys.gate(id), 'h', 'm', 'x', 'f'], {
      kind: 'read',
      signal,
    })) as readonly (string | null)[];
    if (typeof limits !== 'string' || typeof counters !== 'string') return null;
    const first = Number(/^f1,(\d+)$/.exec(feed ?? '')?.[1] ?? 0);
    return { limits: unpackLimits(limits), counters, context: unpackContextData(context ?? '{}'), first };
  };

  const writerDeps = async (id: TenantId, signal: AbortSignal) => {
    const gate = await gateOf(id, signal);
    if (gate === null) return null;
    return {
      sink: store.sinkOf(id, signal),
      seal: await cipher.sealer(id, gate.context),
      newName: () => newUlid(now()),
      compress: config.checkpointCompression,
    };
  };

  /** A run of sessions that got another user meanwhile: then each is in the checkpoint once. */
  const writeMoved = async (
    { tenant, epoch, nowMs }: OpenTenant,
    to: ObjectWriterDeps,
    place: TenantPlace,
  ): Promise<Pick<Written, 'parts' | 'bytes'>> => {
    const lines = await moved.lines(place, epoch, nowMs);
    if (lines.length === 0) return { parts: [], bytes: 0 };
    const writer = createRunWriter(to);
    for (const line of lines) await writer.add(line);
    const { objects, bytes } = await writer.close();
    const run = { started_at_ms: nowMs, epochs: NO_EPOCHS };
    return {
      parts: [
        { part: 'run', tenant, run },
        { part: 'objects', tenant, objects },
      ],
      bytes,
    };
  };

  return {
    /**
     * Begins a tenant: from here on its changes are told of under a new epoch.
     * @param before what the checkpoint that is built upon has of it. @param stateOf digest of its state now; the state is
     * written anew when it is another one than before.
     */
    async begin(
      id: TenantId,
      before: CheckpointTenant | null,
      { cache, signal }: WriteOptions,
      stateOf: string,
    ): Promise<Written> {
      const gone: Written = { parts: [{ part: 'gone', tenant: id }], open: null, bytes: 0 };
      const feed = await runScript(redis, beginFeed, {
        keys: { gate: keys.gate(id), invalidated: keys.invalidated(id) },
        args: {},
        kind: 'write',
        signal,
      });
      const to = feed === null ? null : await writerDeps(id, signal);
      if (feed === null || to === null) return gone;
      const why = whyNewBase({
        before: before === null ? null : { generation: before.generation, cache, runs: before.runs },
        generation: feed.generation,
        cache,
        feedReachesBack: before !== null && reachesBack(feed, before.epoch),
      });
      const kept = why === null && before !== null ? before.runs : [];
      const { state, bytes } = await this.state(id, before, stateOf, signal);
      const counts = countsOf(feed.counters, cache);
      const begun = {
        part: 'begun',
        tenant: id,
        generation: feed.generation,
        epoch: feed.epoch,
        seq: feed.seq,
        counters: feed.counters,
        state,
        state_of: stateOf,
        kept,
        run: {
          started_at_ms: feed.nowMs,
          epochs: epochsFrom(feed.epochs[0], feed.epochs.slice(1) as readonly string[]),
        },
      } as const satisfies PartLine;
      const epochs = why === null && before !== null ? { from: before.epoch, to: feed.before } : null;
      return {
        parts: [begun],
        open: {
          tenant: id,
          generation: feed.generation,
          epochs,
          after: null,
          counts,
          lines: 0,
          nowMs: feed.nowMs,
          epoch: feed.epoch,
        },
        bytes,
      };
    },

    /** The tenant's state: the object of before, while nothing of it has changed. */
    async state(id: TenantId, before: CheckpointTenant | null, stateOf: string, signal: AbortSignal) {
      if (before !== null && before.state !== null && before.state_of === stateOf)
        return { state: before.state, bytes: 0 };
      const [state, to] = [await states.read(id, signal), await writerDeps(id, signal)];
      if (state === null || to === null) return { state: null, bytes: 0 };
      const object = await writeState({ ...state }, to);
      return { state: object, bytes: object.bytes };
    },

    /** Goes on with a tenant until all of it is written, or `isOver`. */
    async write(
      open: OpenTenant,
      { cache, retired = false, signal }: WriteOptions,
      isOver: () => boolean,
    ): Promise<Written> {
      const { tenant, generation, epochs } = open;
      const to = await writerDeps(tenant, signal);
      if (to === null) return { parts: [{ part: 'gone', tenant }], open: null, bytes: 0 };
      const writer = createRunWriter(to);
      const place = { id: tenant, generation, signal };
      const read = (after: string | null) => pages.page(place, { epochs, cache, after }, open.nowMs);
      const { after, lines, ended } = await writePages({ read, writer, slots }, open, isOver);
      const { objects, bytes } = await writer.close();
      const parts: PartLine[] = objects.length > 0 ? [{ part: 'objects', tenant, objects }] : [];
      if (!ended) return { parts, open: { ...open, after, lines }, bytes };
      const gate = await gateOf(tenant, signal);
      if (gate === null) return { parts: [{ part: 'gone', tenant }], open: null, bytes };
      if (!retired && (gate.limits.generation !== generation || !isStillTold(epochs, gate.first)))
        return { parts: [], open: null, again: true, bytes };
      const late = retired ? { parts: [], bytes: 0 } : await writeMoved(open, to, place);
      const ending = { part: 'ended', tenant, counts: open.counts } as const;
      return { parts: [...parts, ...late.parts, ending], open: null, bytes: bytes + late.bytes };
    },
  };
}

/** Whether the feed has what was read of it: that it does not reach back any more is said before the first of its members goes. */
const isStillTold = (epochs: Walk['epochs'], first: number): boolean =>
  epochs === null || (first > 0 && first <= epochs.from);

/** Whether every change since that epoch began is in the feed. */
const reachesBack = ({ before, first }: BegunFeed, epoch: number): boolean =>
  epoch > 0 && first > 0 && first <= epoch && epoch <= before;

export function countsOf(counters: string, cache: boolean): RecordCounts {
  const { entries, sessions } = unpackCounters(counters);
  return { cache: cache ? entries : 0, session: sessions };
}
