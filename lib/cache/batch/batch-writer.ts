/**
 * Stores many entries of a namespace: one round trip for every 100, or 4 MB; each trip is one operation. Values too large for
 * Redis go one by one, behind the others.
 */
import type { CacheConfig } from '../../config/config.ts';
import type { TenantCipher } from '../../crypto/tenant-cipher.ts';
import { AppError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import { readShortage } from '../../gate/full.ts';
import type { Gate } from '../../gate/gate.ts';
import { allows } from '../../gate/policies.ts';
import type { Keys } from '../../keys.ts';
import { setCacheEntries } from '../../redis/bindings/cache-batch-scripts.ts';
import type { RedisReply } from '../../redis/driver.ts';
import { conditionText, operationId, resourceOf } from '../entry-call.ts';
import { checkEntry } from '../entry-rules.ts';
import type { EntryWriter, SetEntry } from '../entry-writer.ts';
import { type Lifetime, lifetimeText } from '../lifetime.ts';
import type { MakeRoom } from '../memory/make-room.ts';
import { settingsFor } from '../namespace-settings.ts';
import { CONDITION_FAILED, conditionFailed, MEMORY_FULL, noMemory, wasCreated } from '../outcomes.ts';
import type { ValuePacker } from '../value-packer.ts';
import { base64Bytes, checkBatch, inTrips, sendInTurn, travelBytes } from './batch-rules.ts';

export interface BatchEntry extends Omit<SetEntry, 'lease'>, Lifetime {
  readonly key: string;
}

export interface StoredItem {
  readonly etag: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  /** Unix ms; null: as long as it lives. */
  readonly freshUntilMs: number | null;
  /** Bytes of the value as given. */
  readonly rawBytes: number;
}

/** `error`: it is not stored, or nobody knows; the error's code tells. The others that failed are not stored. */
export type WriteItem =
  | { readonly key: string; readonly status: 'created' | 'replaced'; readonly stored: StoredItem }
  | { readonly key: string; readonly status: WriteFailure; readonly error: AppError };
export type WriteFailure =
  | 'precondition_failed'
  | 'memory_full'
  | 'storage_full'
  | 'store_full'
  | 'too_large'
  | 'invalid'
  | 'error';

export interface WriteManyOptions {
  /** The same again is a replay: what it stored is told, and not stored twice. */
  readonly operation?: string;
}

type FailedItem = Extract<WriteItem, { readonly error: AppError }>;

/** What is answered for each item. */
const FIELDS = 4;

interface Writing {
  readonly caller: Caller;
  readonly namespace: string;
  /** Of the whole batch. */
  readonly keys: readonly string[];
  readonly operation: string;
}

export type BatchWriter = ReturnType<typeof createBatchWriter>;

export function createBatchWriter(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: Pick<TenantCipher, 'sealer'>;
  readonly makeRoom: MakeRoom;
  readonly writer: Pick<EntryWriter, 'set'>;
}) {
  const { gate, keys, config, packer, cipher, makeRoom, writer } = deps;

  /** The arguments of a trip, made once for a context: so they are the same again after a lost reply. */
  const packed = ({ caller, namespace }: Writing, entries: readonly BatchEntry[]) => {
    let last: { readonly version: string; readonly items: readonly (string | number)[] } | undefined;
    return async (context: TenantContext) => {
      if (last?.version === context.version) return last.items;
      const settings = settingsFor(context, config, namespace);
      const seal = await cipher.sealer(caller.tenantId, context);
      const items: (string | number)[] = [];
      for (const entry of entries) {
        const plain = { name: { namespace, key: entry.key }, value: entry.value, meta: entry.meta };
        const body = packer.pack(await packer.compress(plain, settings.compression), seal);
        items.push(conditionText(entry.condition ?? 'none'), ...lifetimeText(entry, settings));
        items.push(body.metaBytes, body.tagBytes, body.rawBytes, body.digest, body.codec, body.body);
      }
      last = { version: context.version, items };
      return items;
    };
  };

  const send = async (writing: Writing, entries: readonly BatchEntry[]): Promise<readonly WriteItem[]> => {
    const { caller, namespace, operation } = writing;
    const items = packed(writing, entries);
    const records = ({ generation }: TenantContext) =>
      entries.map(({ key }) => keys.cacheEntry(caller.tenantId, generation, { namespace, key }));
    // What was stored before room was looked for stays so, whatever becomes of the rest.
    let answered: readonly RedisReply[] | undefined;
    const { found, error } = await gate
      .run(caller, {
        script: setCacheEntries,
        scope: 'cache:write',
        kind: 'write',
        allowed: (policies, who) =>
          writing.keys.every((key) => allows(policies, { ...who, resource: resourceOf({ namespace, key }) })),
        keys: (context) => ({ index: keys.index(caller.tenantId, context.generation), entries: records(context) }),
        args: async (context) => ({ op: operation, items: await items(context) }),
        full: (found) => {
          answered = found;
          return placesOf(found, MEMORY_FULL).length > 0;
        },
        makeRoom: (context, found, round) =>
          makeRoom(caller, context, { ...readShortage(shortageReply(found)), round }, records(context)),
        declined: (found) => placesOf(found, MEMORY_FULL).length > 0 || placesOf(found, CONDITION_FAILED).length > 0,
      })
      .catch((error: unknown) => {
        if (answered === undefined || !(error instanceof AppError)) throw error;
        return { found: answered, error };
      })
      .then((result) => ({ error: undefined, ...result }));
    const noRoom = (entry: BatchEntry) => failedItem(entry, error ?? noMemory(shortageReply(found)));
    return entries.map((entry, place) => {
      const answer = found.slice(2 + place * FIELDS);
      return answer[0] === MEMORY_FULL ? noRoom(entry) : readItem(entry, answer);
    });
  };

  /** @returns why it cannot be stored; undefined: it can. */
  const refusal = (entry: BatchEntry): FailedItem | undefined => {
    try {
      checkEntry(entry);
      packer.requireSize(entry.value);
      return undefined;
    } catch (error) {
      return failedItem(entry, error);
    }
  };

  const setOne = async ({ caller, namespace }: Writing, entry: BatchEntry): Promise<WriteItem> => {
    const { key } = entry;
    try {
      const { created, ...stored } = await writer.set(caller, { namespace, key }, entry);
      return { key, status: created ? 'created' : 'replaced', stored };
    } catch (error) {
      const item = failedItem(entry, error);
      if (item.status === 'error') throw error;
      return item;
    }
  };

  const isLarge = ({ value }: BatchEntry) => base64Bytes(value.length) > config.inlineMaxBytes;

  return {
    /**
     * Stores them; each has its own outcome, in their order. Trips go one after another; when one fails, its items and those
     * behind it have its error.
     * @throws {InvalidRequestError} no batch. @throws what the first trip throws; why the first cannot be stored, when none can.
     */
    async setMany(
      caller: Caller,
      namespace: string,
      entries: readonly BatchEntry[],
      options: WriteManyOptions = {},
    ): Promise<readonly WriteItem[]> {
      const all = entries.map(({ key }) => key);
      checkBatch(namespace, all);
      const writing = { caller, namespace, keys: all, operation: operationId(options.operation) };
      const refused = entries.map(refusal);
      const storable = entries.filter((_entry, place) => refused[place] === undefined);
      if (storable.length === 0) throw (refused[0] as FailedItem).error;
      const trips = inTrips(
        storable.filter((entry) => !isLarge(entry)),
        ({ key, value }) => travelBytes(value) + key.length + MAX_META_BYTES,
      );
      const large = storable.filter(isLarge).map((entry) => [entry]);
      const done = await sendInTurn(
        [...trips, ...large],
        async (trip) =>
          isLarge(trip[0] as BatchEntry) ? [await setOne(writing, trip[0] as BatchEntry)] : send(writing, trip),
        failedItem,
      );
      const byKey = new Map(done.map((item) => [item.key, item]));
      return entries.map((entry, place) => refused[place] ?? (byKey.get(entry.key) as WriteItem));
    },
  };
}

/** Of most entries: more than that travels in few, and the bound of a trip has room for it. */
const MAX_META_BYTES = 512;

function placesOf(found: readonly RedisReply[], outcome: number): readonly number[] {
  const places: number[] = [];
  for (let at = 2; at < found.length; at += FIELDS) if (found[at] === outcome) places.push(at);
  return places;
}

/** All that found no room, together, as a script says it of one. */
function shortageReply(found: readonly RedisReply[]) {
  const places = placesOf(found, MEMORY_FULL);
  const sum = (offset: number) => places.reduce((bytes, at) => bytes + Number(found[at + offset]), 0);
  const last = places.at(-1) ?? 0;
  return [MEMORY_FULL, found[last + 1] ?? 0, found[last + 2] ?? 0, sum(3), found[0] ?? 0, found[1] ?? 0];
}

function readItem({ key, value }: BatchEntry, [outcome, expires, fresh, digest]: readonly RedisReply[]): WriteItem {
  if (outcome === CONDITION_FAILED) return { key, status: 'precondition_failed', error: conditionFailed() };
  const stored = {
    etag: digest as string,
    expiresAtMs: Number(expires) || null,
    freshUntilMs: Number(fresh) || null,
    rawBytes: value.length,
  };
  return { key, status: wasCreated(outcome) ? 'created' : 'replaced', stored };
}

const FAILURES: Readonly<Record<string, WriteFailure>> = {
  precondition_failed: 'precondition_failed',
  memory_full: 'memory_full',
  storage_full: 'storage_full',
  store_full: 'store_full',
  body_too_large: 'too_large',
  invalid_request: 'invalid',
  invalid_json: 'invalid',
};

/** Throws on what is no AppError. */
function failedItem({ key }: Pick<BatchEntry, 'key'>, error: unknown): FailedItem {
  if (!(error instanceof AppError)) throw error;
  return { key, status: FAILURES[error.code] ?? 'error', error };
}
