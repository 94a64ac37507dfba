/** Reads many entries of a namespace: one round trip for every 100, or 4 MB as stored; each trip is one operation. */
import type { CacheConfig } from '../../config/config.ts';
import type { TenantCipher } from '../../crypto/tenant-cipher.ts';
import { AppError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { Gate } from '../../gate/gate.ts';
import { allows } from '../../gate/policies.ts';
import type { Keys } from '../../keys.ts';
import { getCacheEntries } from '../../redis/bindings/cache-batch-scripts.ts';
import { mostRawBytes, readEntry, readHead, type StoredEntry, type StoredHead } from '../entry.ts';
import { resourceOf } from '../entry-call.ts';
import { rawBytesOf } from '../entry-format.ts';
import type { EntryRemover } from '../entry-remover.ts';
import type { BlobValues } from '../large/blob-values.ts';
import { checkBatch, MAX_TRIP_BYTES, MAX_TRIP_ITEMS } from './batch-rules.ts';

export interface ReadManyOptions {
  /** Entries past their lifetime will do, within their grace. */
  readonly stale?: boolean;
  /** What is known of them, without their values. */
  readonly metaOnly?: boolean;
  /** Bytes of values to read at most; default 64 MiB. What is behind that is `deferred`. */
  readonly maxBytes?: number;
}

/** `deferred`: not read, for there was enough: ask again. `too_large`: of itself more than `maxBytes`. `error`: nobody knows. */
export type ReadItem =
  | { readonly key: string; readonly status: 'hit'; readonly entry: StoredEntry | StoredHead }
  | { readonly key: string; readonly status: 'miss' | 'deferred' }
  | { readonly key: string; readonly status: 'too_large'; readonly entry: StoredHead }
  | { readonly key: string; readonly status: 'error'; readonly error: AppError };

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

interface Reading {
  readonly caller: Caller;
  readonly namespace: string;
  readonly keys: readonly string[];
  readonly options: ReadManyOptions;
}

interface Trip {
  readonly texts: readonly string[];
  readonly nowMs: number;
  readonly context: TenantContext;
}

export type BatchReader = ReturnType<typeof createBatchReader>;

export function createBatchReader(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly cipher: TenantCipher;
  readonly blobValues: Pick<BlobValues, 'read'>;
  readonly discard: EntryRemover['discard'];
}) {
  const { gate, keys, config, cipher, blobValues, discard } = deps;

  const ask = async (reading: Reading, asked: readonly string[]): Promise<Trip> => {
    const { caller, namespace, options } = reading;
    const startedAt = performance.now();
    const { nowMs, found, context } = await gate.run(caller, {
      script: getCacheEntries,
      scope: 'cache:read',
      kind: 'read',
      allowed: (policies, who) =>
        reading.keys.every((key) => allows(policies, { ...who, resource: resourceOf({ namespace, key }) })),
      keys: ({ generation }) => ({
        entries: asked.map((key) => keys.cacheEntry(caller.tenantId, generation, { namespace, key })),
      }),
      args: () => ({
        want: options.metaOnly ? 'meta' : '',
        stale: options.stale ? 1 : 0,
        maxBytes: MAX_TRIP_BYTES,
      }),
    });
    gate.carryAccess(caller.tenantId, (performance.now() - startedAt) * 1000);
    return { texts: found as readonly string[], nowMs, context };
  };

  const decode = async (reading: Reading, key: string, text: string, trip: Trip, left: number): Promise<ReadItem> => {
    if (text === '') return { key, status: 'miss' };
    const { caller, namespace, options } = reading;
    const { nowMs, context } = trip;
    const name = { namespace, key };
    try {
      const { maxBytes = DEFAULT_MAX_BYTES } = options;
      // The head alone, where that is all that is wanted: with the value it is read once.
      if (options.metaOnly || rawBytesOf(text) > left) {
        const head = readHead(text, nowMs);
        if (head.meta.negative) return { key, status: 'miss' };
        if (options.metaOnly) return { key, status: 'hit', entry: head };
        return head.rawBytes > maxBytes ? { key, status: 'too_large', entry: head } : { key, status: 'deferred' };
      }
      const entry = await readEntry(text, {
        name,
        nowMs,
        maxBytes: mostRawBytes(config),
        fetch: (blob) => blobValues.read(caller.tenantId, blob, caller.signal),
        open: (payload, parts) => cipher.open(caller.tenantId, context, payload, parts),
      });
      if (entry.meta.negative) return { key, status: 'miss' };
      return { key, status: 'hit', entry };
    } catch (error) {
      await discard(caller, name, text, error);
      return { key, status: 'miss' };
    }
  };

  return {
    /**
     * The entries, in the order of their keys. Trips go one after another; when one fails, its items and those behind it have
     * its error.
     * @throws {InvalidRequestError} no batch. @throws what the first trip throws.
     */
    async getMany(
      caller: Caller,
      namespace: string,
      asked: readonly string[],
      options: ReadManyOptions = {},
    ): Promise<readonly ReadItem[]> {
      checkBatch(namespace, asked);
      const reading = { caller, namespace, keys: asked, options };
      const items: ReadItem[] = [];
      let left = options.maxBytes ?? DEFAULT_MAX_BYTES;
      try {
        while (items.length < asked.length) {
          const next = asked.slice(items.length, items.length + MAX_TRIP_ITEMS);
          const trip = await ask(reading, next);
          // Values are decoded one by one: of what unpacks to much, one is in memory more than is given out.
          for (const [place, text] of trip.texts.entries()) {
            const item = await decode(reading, next[place] as string, text, trip, left);
            if (item.status === 'deferred') return [...items, ...deferred(asked.slice(items.length))];
            if (item.status === 'hit' && !options.metaOnly) left -= item.entry.rawBytes;
            items.push(item);
          }
        }
      } catch (error) {
        if (items.length === 0 || !(error instanceof AppError)) throw error;
        items.push(...asked.slice(items.length).map((key) => ({ key, status: 'error' as const, error })));
      }
      return items;
    },
  };
}

const deferred = (keys: readonly string[]): readonly ReadItem[] => keys.map((key) => ({ key, status: 'deferred' }));
