/**
 * Puts a tenant back that Redis has lost: what administration knows of it comes from the newest checkpoint that has it, whichever
 * one is restored, so that no quota, key or invoice is older than it must be. Keys that were revoked stay revoked.
 */
import type { BlobStore } from '../../blobs/store.ts';
import { CorruptValueError } from '../../errors.ts';
import { unpackCounters } from '../../gate/counters.ts';
import type { TenantId } from '../../ids.ts';
import { type Keys, revocationPrefix } from '../../keys.ts';
import { unpackHeld } from '../../quotas/held-format.ts';
import { reviveTenant } from '../../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { Publisher } from '../../tenants/publisher.ts';
import { type CheckpointStore, isUnreadable } from '../checkpoint-store.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import { readState } from '../format/state-object.ts';
import { STATE_FORMAT, type TenantState } from '../writing/tenant-state.ts';
import type { LoadedStock } from './loaded-stock.ts';
import { sourceOf } from './restored-source.ts';

/** Instances may know versions of the context, and seqs, that were given out after the checkpoint: none of them comes again. */
const AHEAD = 1_000_000;

export type Revival = ReturnType<typeof createRevival>;

export function createRevival(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly blobs: Pick<BlobStore, 'list'>;
  readonly store: CheckpointStore;
  readonly publisher: Pick<Publisher, 'republish'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, blobs, store, publisher, now } = deps;

  /** Of the newest checkpoint that has it. */
  const newestLine = async (id: TenantId, signal: AbortSignal): Promise<CheckpointTenant | null> => {
    for (const checkpoint of await store.ids(signal)) {
      const manifest = await store.findManifest(checkpoint, signal).catch((error: unknown) => {
        if (isUnreadable(error)) return null;
        throw error;
      });
      const line = manifest?.tenants.find(({ tenant }) => tenant === id);
      if (line !== undefined && line.state !== null) return line;
    }
    return null;
  };

  const revoked = async (id: TenantId, signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const found = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await blobs.list({ prefix: revocationPrefix(id), cursor }, { signal });
      for (const { key } of page.items) found.add(key.slice(revocationPrefix(id).length, -'.json'.length));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return found;
  };

  return {
    /** Whether Redis has the tenant. */
    isThere: async (id: TenantId, signal: AbortSignal): Promise<boolean> =>
      (await redis.send(['EXISTS', keys.gate(id), keys.record(id)], { kind: 'read', signal })) !== 0,

    /** Puts it back, with the records of a generation that was loaded. Again, it changes nothing. */
    async run(
      id: TenantId,
      generation: number,
      { stock, mark }: { readonly stock: LoadedStock; readonly mark: string },
      signal: AbortSignal,
    ): Promise<'done' | 'there' | 'erased' | 'unknown' | 'given_up'> {
      const line = await newestLine(id, signal);
      if (line === null || line.state === null) return 'unknown';
      const state = (await readState(line.state, sourceOf(store, line, signal))) as unknown as TenantState;
      if (state.format !== STATE_FORMAT) throw new CorruptValueError('The state of a tenant is of another format');
      const gone = await revoked(id, signal);
      const gate = gateFields(state, { line, generation, stock, gone, nowMs: now() });
      const apiKeys = Object.entries(state.keys).filter(([keyId]) => !gone.has(keyId));
      const billing = Object.entries(state.billing);
      const fields = [...Object.entries(gate), ...apiKeys, ...billing, ...Object.entries(state.requests)].flat();
      const revived = await runScript(redis, reviveTenant, {
        keys: {
          gate: keys.gate(id),
          record: keys.record(id),
          keys: keys.apiKeys(id),
          billing: keys.billing(id),
          erased: keys.erased(id),
          generations: keys.generations(id),
          mark: keys.switchMark(id),
          requests: keys.quotaRequests(id),
        },
        args: {
          record: state.record,
          generation,
          mark,
          gateFields: 2 * Object.keys(gate).length,
          keyFields: 2 * apiKeys.length,
          billingFields: 2 * billing.length,
          fields,
        },
        kind: 'write',
        signal,
      });
      if (revived === 'erased' || revived === 'given_up') return revived;
      await this.list(id, signal);
      return revived;
    },

    /** A tenant that was put back: those that list tenants know of it. Again, it changes nothing. */
    async list(id: TenantId, signal: AbortSignal): Promise<void> {
      await redis.send(['ZADD', keys.tenants(), 0, id], { kind: 'write', signal });
      await publisher.republish(id, signal);
    },
  };
}

interface Facts {
  readonly line: CheckpointTenant;
  readonly generation: number;
  readonly stock: LoadedStock;
  readonly gone: ReadonlySet<string>;
  readonly nowMs: number;
}

function gateFields(
  { gate }: TenantState,
  { line, generation, stock, gone, nowMs }: Facts,
): Readonly<Record<string, string>> {
  const { h = '', r, m: _counters, ...rest } = gate;
  const [tag, status, version, , ...limits] = h.split(',');
  const held = r === undefined ? null : unpackHeld(r);
  const committed = { memory: held?.committedMemoryBytes ?? 0, storage: held?.committedStorageBytes ?? 0 };
  const isKept = ([name, value]: readonly [string, string]) =>
    !name.startsWith('k:') || !gone.has(value.split(',')[1] ?? '');
  return {
    ...Object.fromEntries(Object.entries(rest).filter(isKept)),
    h: [tag, status, Number(version) + AHEAD, generation, ...limits].join(','),
    r: `r1,0,0,0,${committed.memory},${committed.storage}`,
    m: countersOf(line, stock, committed, nowMs),
  };
}

/** Places of the stock in field `m`, behind its tag: lib/gate/counters.ts. */
const PLACES = { memory: 13, entries: 14, seq: 15, storage: 16, at: 17, raw: 22 } as const;

/** What was counted stays counted; what there is, is what was loaded. */
function countersOf(
  line: CheckpointTenant,
  stock: LoadedStock,
  committed: { readonly memory: number; readonly storage: number },
  nowMs: number,
): string {
  // Of an older format nothing is taken over but by a script: then it begins with what can be read.
  unpackCounters(line.counters);
  const numbers = line.counters.split(',').slice(1);
  const put = (place: number, value: number) => {
    numbers[place] = String(value);
  };
  put(PLACES.memory, stock.memory + committed.memory);
  put(PLACES.entries, stock.entries);
  put(PLACES.seq, Math.max(line.seq, stock.seq) + AHEAD);
  put(PLACES.storage, stock.storage + committed.storage);
  put(PLACES.at, nowMs);
  const behind = [stock.raw, stock.packed, stock.sessions, stock.hotBytes, stock.spilled, stock.spilledBytes, 0, 0, 0];
  for (const [i, value] of behind.entries()) put(PLACES.raw + i, value);
  return ['m5', ...numbers].join(',');
}
