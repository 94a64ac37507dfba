/** Entries that are whole numbers: added to in one step, so that of callers who add at once none is lost. */
import type { CacheConfig } from '../config/config.ts';
import { NumberError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import { readShortage } from '../gate/full.ts';
import type { Gate } from '../gate/gate.ts';
import type { EntryName, Keys } from '../keys.ts';
import { incrementCacheEntry } from '../redis/bindings/cache-batch-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import { pause } from '../redis/waiting.ts';
import type { BatchEntry, BatchWriter } from './batch/batch-writer.ts';
import type { StoredEntry } from './entry.ts';
import { entryKeys, newOperation, operationId, resourceOf } from './entry-call.ts';
import { metaText } from './entry-format.ts';
import type { EntryReader } from './entry-reader.ts';
import { checkEntry } from './entry-rules.ts';
import { type Lifetime, lifetimeText } from './lifetime.ts';
import type { MakeRoom } from './memory/make-room.ts';
import { settingsFor } from './namespace-settings.ts';
import { MEMORY_FULL, noMemory, wasCreated } from './outcomes.ts';

export interface IncrementOptions extends Pick<Lifetime, 'ttlMs' | 'graceMs'> {
  /**
   * The same again is a replay, for as long as some 40 others have not come after it: it tells what the first one left. Of an
   * encrypting tenant for as long as nobody else has changed the number since.
   */
  readonly operation?: string;
}

export interface Incremented {
  readonly value: number;
  readonly created: boolean;
  readonly etag: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  /** Unix ms; null: as long as it lives. */
  readonly freshUntilMs: number | null;
}

/** A new number's. */
const META = { content_type: 'application/json' } as const;
const NUMBER = /^-?\d+$/;

/** Outcomes of its script alone. */
const NOT_A_NUMBER = 3;
const OUT_OF_RANGE = 7;
const CHANGED_NOTHING: readonly (RedisReply | undefined)[] = [NOT_A_NUMBER, MEMORY_FULL, OUT_OF_RANGE];

/** Of a sealed number, which no script can read. */
const MAX_TRIES = 20;
const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 250;

/** Thrown before anything is sent. */
class SealedNumber extends Error {}

export type Numbers = ReturnType<typeof createNumbers>;

export function createNumbers(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly makeRoom: MakeRoom;
  readonly reader: Pick<EntryReader, 'get'>;
  readonly batch: Pick<BatchWriter, 'setMany'>;
  /** 0 to 1. */
  readonly random: () => number;
}) {
  const { gate, keys, config, makeRoom, reader, batch, random } = deps;

  const incrementPlain = async (caller: Caller, name: EntryName, by: number, options: IncrementOptions) => {
    const op = operationId(options.operation);
    const records = entryKeys(keys, caller.tenantId, name);
    const args = (context: TenantContext) => {
      if (context.data_key !== 0) throw new SealedNumber();
      const [ttlMs, graceMs] = lifetimeText(options, settingsFor(context, config, name.namespace));
      return { by: String(by), ttlMs, graceMs, meta: metaText(META), op };
    };
    const { found } = await gate.run(caller, {
      script: incrementCacheEntry,
      scope: 'cache:write',
      kind: 'write',
      resource: resourceOf(name),
      keys: records,
      args,
      full: ([outcome]) => outcome === MEMORY_FULL,
      makeRoom: (context, answer, round) =>
        makeRoom(caller, context, { ...readShortage(answer), round }, [records(context).entry]),
      declined: ([outcome]) => CHANGED_NOTHING.includes(outcome),
    });
    return readIncremented(found);
  };

  /** One try: read, add, store if it is still what was read. Null: somebody else was faster. */
  const addSealed = async (
    caller: Caller,
    { namespace, key }: EntryName,
    by: number,
    options: IncrementOptions & { readonly operation: string },
  ): Promise<Incremented | null> => {
    const stored = (await reader.get(caller, { namespace, key })) as StoredEntry | null;
    const before = stored === null ? 0 : numberOf(stored);
    const sum = added(before, by);
    const entry: BatchEntry = {
      key,
      value: Buffer.from(String(sum)),
      ...(stored === null
        ? { meta: META, condition: 'absent', ttlMs: options.ttlMs, graceMs: options.graceMs }
        : { meta: stored.meta, condition: { etags: [stored.etag] }, until: stored }),
    };
    const [item] = await batch.setMany(caller, namespace, [entry], options);
    if (item === undefined || item.status === 'precondition_failed') return null;
    if ('error' in item) throw item.error;
    const { etag, expiresAtMs, freshUntilMs } = item.stored;
    // Sealed anew it would have another ETag: it is this operation that left what was read.
    const value = etag === stored?.etag ? before : sum;
    return { value, created: item.status === 'created', etag, expiresAtMs, freshUntilMs };
  };

  const incrementSealed = async (caller: Caller, name: EntryName, by: number, options: IncrementOptions) => {
    const { operation = newOperation() } = options;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const done = await addSealed(caller, name, by, { ...options, operation });
      if (done !== null) return done;
      await pause(random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries), caller.signal);
    }
    throw new NumberError('contended', 'Others change this number all the time; try again', { retryAfterMs: 1_000 });
  };

  return {
    /**
     * Adds to the number; one that is not there begins at 0, with this lifetime; one that is there keeps its own. One round trip,
     * atomic; of an encrypting tenant, whose numbers no script can read, two or more: it is read and written until nobody else
     * wrote between.
     * @param by a whole number, its magnitude below 2^53.
     * @throws {NumberError} `not_a_number`, `number_out_of_range`: nothing was changed; `contended`. @throws {StorageFullError}
     */
    async increment(caller: Caller, name: EntryName, by: number, options: IncrementOptions = {}): Promise<Incremented> {
      checkEntry({ meta: META, ttlMs: options.ttlMs ?? null, graceMs: options.graceMs ?? 0 });
      if (!Number.isSafeInteger(by)) throw outOfRange();
      try {
        return await incrementPlain(caller, name, by, options);
      } catch (error) {
        if (!(error instanceof SealedNumber)) throw error;
        return incrementSealed(caller, name, by, options);
      }
    },
  };
}

const notANumber = () => new NumberError('not_a_number', 'The stored entry is no whole number');
const outOfRange = () =>
  new NumberError('number_out_of_range', 'The number would leave the range of whole numbers, ±(2^53 - 1)');

function numberOf({ value }: StoredEntry): number {
  const text = value.length > 17 ? '' : value.toString('latin1');
  if (!NUMBER.test(text)) throw notANumber();
  return Number(text);
}

function added(number: number, by: number): number {
  const sum = number + by;
  if (!Number.isSafeInteger(number) || !Number.isSafeInteger(sum)) throw outOfRange();
  return sum === 0 ? 0 : sum;
}

/** @throws unless the script has added. */
function readIncremented(found: readonly RedisReply[]): Incremented {
  const [outcome, sum, expires, fresh, digest] = found;
  if (outcome === NOT_A_NUMBER) throw notANumber();
  if (outcome === OUT_OF_RANGE) throw outOfRange();
  if (outcome === MEMORY_FULL) throw noMemory(found);
  return {
    value: Number(sum),
    created: wasCreated(outcome),
    etag: digest as string,
    expiresAtMs: Number(expires) || null,
    freshUntilMs: Number(fresh) || null,
  };
}
