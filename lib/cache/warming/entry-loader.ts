/**
 * Stores entries of a tenant for administration: by the tenant's rules (memory, packing, encryption, counters), without its
 * key, and not metered as its operations. Nothing is evicted for them: only what has expired makes room.
 */
import type { CacheConfig } from '../../config/config.ts';
import type { Seal, TenantCipher } from '../../crypto/tenant-cipher.ts';
import { OutcomeUnknownError } from '../../errors.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { ExpiredRecords } from '../../gate/expired-records.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { storeCacheEntries } from '../../redis/bindings/cache-admin-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { operationText } from '../entry-call.ts';
import { packStub } from '../entry-format.ts';
import type { BlobValues } from '../large/blob-values.ts';
import { lifetimeText } from '../lifetime.ts';
import { settingsFor } from '../namespace-settings.ts';
import { stubOf } from '../packed-entry.ts';
import type { CompressedEntry, ValuePacker } from '../value-packer.ts';
import {
  type Item,
  type Load,
  type LoadedEntry,
  type LoadOptions,
  type LoadStatus,
  type Place,
  readOutcomes,
  storable,
} from './load-plan.ts';
import { contextOf, REFUSED, whyRefused } from './stored-outside.ts';

/** Entries and bytes of one trip. */
const TRIP_ENTRIES = 100;
const TRIP_BYTES = 4 * 1024 * 1024;
const MAX_TRIES = 4;
const CONTEXT_OLD = 2;
export type EntryLoader = ReturnType<typeof createEntryLoader>;

export function createEntryLoader(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: TenantCipher;
  readonly blobValues: Pick<BlobValues, 'write'>;
  readonly expired: Pick<ExpiredRecords, 'free'>;
}) {
  const { redis, keys, config, packer, cipher, blobValues, expired } = deps;

  const send = async (load: Load, context: TenantContext | null, items: readonly Item[]) => {
    const { id, operation, dryRun, signal } = load;
    const generation = context?.generation ?? 0;
    const call = {
      keys: {
        gate: keys.gate(id),
        holds: keys.holds(id),
        index: keys.index(id, generation),
        entries: items.map(({ place }) => keys.cacheEntry(id, generation, place.entry.name)),
      },
      args: {
        context: context?.version ?? '',
        op: operationText(operation),
        dry: dryRun ? 1 : 0,
        items: items.flatMap(({ args }) => args),
      },
      kind: 'write',
      signal,
    } as const;
    // Again, it is a replay.
    const reply = await runScript(redis, storeCacheEntries, call).catch((error: unknown) => {
      if (!(error instanceof OutcomeUnknownError) || signal?.aborted) throw error;
      return runScript(redis, storeCacheEntries, call);
    });
    if (reply[0] === REFUSED) throw await whyRefused(deps, id, reply, signal);
    return reply;
  };

  /** What is known of the tenant, and Redis' time. One round trip. */
  const begin = async (load: Load) => {
    const [, nowMs, ...context] = await send(load, null, []);
    return { context: contextOf(context), nowMs: nowMs as number };
  };

  /** In Redis, or as a stub of an object in S3; that is written here. Of a dry run the stub alone. */
  const stand = async (load: Load, entry: CompressedEntry, { context, seal }: Packing) => {
    if (entry.bytes.length <= config.inlineMaxBytes) {
      const body = packer.pack(entry, seal);
      if (Buffer.byteLength(body.body) - body.metaBytes <= config.inlineMaxBytes)
        return { body, blob: '-', blobUntil: 0 };
    }
    const object = packer.packObject(entry, seal);
    if (load.dryRun) return { body: packStub(entry.meta, { ...object, sha256: NO_SHA256 }), blob: '-', blobUntil: 0 };
    return stubOf(entry.meta, object, await blobValues.write(load.id, context.generation, object, load.signal));
  };

  const packed = async (load: Load, place: Place, packing: Packing): Promise<Item> => {
    const { context } = packing;
    const { name, value, meta, lifetime } = place.entry;
    const settings = settingsFor(context, config, name.namespace);
    const compressed = await packer.compress({ name, value, meta }, settings.compression);
    const { body, blob, blobUntil } = await stand(load, compressed, packing);
    const [ttl, grace] = lifetimeText(lifetime, settings);
    const head = [body.metaBytes, body.tagBytes, body.rawBytes, body.digest, body.codec];
    const args = [load.overwrite ? '' : 'absent', ttl, grace, ...head, body.body, blob, blobUntil];
    return { place, args, bytes: Buffer.byteLength(body.body) };
  };

  /** Sends the items of one trip; gives the context back that it takes instead, when the tenant has changed. */
  const sendTrip = async (
    load: Load,
    context: TenantContext,
    items: readonly Item[],
  ): Promise<TenantContext | null> => {
    if (items.length === 0) return null;
    const [state, , ...rest] = await send(load, context, items);
    if (state === CONTEXT_OLD) return contextOf(rest);
    const full = readOutcomes(load, items, rest);
    if (full.length === 0 || load.dryRun || (await expired.free(load.id, context.generation, load.signal)) === 0)
      return null;
    const [again, , ...outcomes] = await send(load, context, full);
    if (again === CONTEXT_OLD) return contextOf(outcomes);
    readOutcomes(load, full, outcomes);
    return null;
  };

  /** @returns the context to go on with, and where, when the tenant changed meanwhile. */
  const storeAll = async (load: Load, places: readonly Place[], context: TenantContext) => {
    const packing = { context, seal: await cipher.sealer(load.id, context) };
    let trip: Item[] = [];
    let bytes = 0;
    let sent = 0;
    const flush = async () => {
      const changed = await sendTrip(load, context, trip);
      if (changed === null) sent += trip.length;
      [trip, bytes] = [[], 0];
      return changed;
    };
    for (const place of places) {
      const item = await packed(load, place, packing);
      if (trip.length === TRIP_ENTRIES || bytes + item.bytes > TRIP_BYTES) {
        const changed = await flush();
        if (changed !== null) return { changed, sent };
      }
      trip.push(item);
      bytes += item.bytes;
    }
    const changed = await flush();
    return changed === null ? null : { changed, sent };
  };

  return {
    /**
     * Stores them, 100 a round trip, and tells for each what became of it, in their order. Names and metadata are the caller's to
     * check. What was stored before it throws stays.
     * @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError} @throws {TenantStateError} `deletion_pending`.
     * @throws {OutcomeUnknownError} a reply was lost twice; the same operation again tells.
     */
    async store(id: TenantId, entries: readonly LoadedEntry[], options: LoadOptions): Promise<readonly LoadStatus[]> {
      const load: Load = { ...options, id, outcomes: entries.map(() => 'stored') };
      let { context, nowMs } = await begin(load);
      let places = storable(load, entries, { nowMs, maxBytes: config.maxEntrySizeBytes });
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const left = await storeAll(load, places, context);
        if (left === null) return load.outcomes;
        context = left.changed;
        places = places.slice(left.sent);
      }
      throw new OutcomeUnknownError('The tenant changed again and again while this ran', { retryAfterMs: 1_000 });
    },
  };
}

interface Packing {
  readonly context: TenantContext;
  readonly seal: Seal | null;
}

/** Stands for a digest of the same length. */
const NO_SHA256 = 'A'.repeat(43);
