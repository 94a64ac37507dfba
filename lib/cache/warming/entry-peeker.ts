/** Reads entries of a tenant for administration and its jobs: without its key, not metered, and no recency moves. */
import type { CacheConfig } from '../../config/config.ts';
import type { TenantCipher } from '../../crypto/tenant-cipher.ts';
import { CorruptValueError } from '../../errors.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { TenantId } from '../../ids.ts';
import type { EntryName, Keys } from '../../keys.ts';
import { peekCacheEntries } from '../../redis/bindings/cache-admin-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { mostRawBytes, readEntry, type StoredEntry } from '../entry.ts';
import type { BlobValues } from '../large/blob-values.ts';
import { contextOf, REFUSED, whyRefused } from './stored-outside.ts';

/** As many as one call looks at. */
export const PEEK_ENTRIES = 100;
const PEEK_BYTES = 4 * 1024 * 1024;

/** Entries as they are stored, some of which may be left to another call. */
export interface Peeked {
  /** Of the first entries asked for, in their order; empty: there is none. */
  readonly texts: readonly string[];
  readonly nowMs: number;
  readonly context: TenantContext;
}

export type EntryPeeker = ReturnType<typeof createEntryPeeker>;

export function createEntryPeeker(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly cipher: TenantCipher;
  readonly blobValues: Pick<BlobValues, 'read'>;
}) {
  const { redis, keys, config, cipher, blobValues } = deps;

  return {
    /**
     * Entries of one namespace, {@link PEEK_ENTRIES} at most; one round trip. Those in their grace are told, too.
     * @param known what the caller knows of the tenant; absent: two round trips.
     * @throws {NotFoundError | TenantErasedError | TenantStateError} the tenant is not there, or deleted.
     */
    async peek(
      id: TenantId,
      names: readonly EntryName[],
      { known, signal }: { readonly known?: TenantContext | undefined; readonly signal?: AbortSignal | undefined },
    ): Promise<Peeked> {
      const [state, nowMs, version, generation, json, ...texts] = await runScript(redis, peekCacheEntries, {
        keys: {
          gate: keys.gate(id),
          entries: known === undefined ? [] : names.map((name) => keys.cacheEntry(id, known.generation, name)),
        },
        args: { context: known?.version ?? '', maxBytes: PEEK_BYTES },
        kind: 'read',
        signal,
      });
      if (state === REFUSED) throw await whyRefused(deps, id, [state, nowMs ?? null], signal);
      if (known !== undefined && version === known.version)
        return { texts: texts as readonly string[], nowMs: nowMs as number, context: known };
      const context = contextOf([version ?? null, generation ?? null, json ?? null]);
      if (names.length === 0) return { texts: [], nowMs: nowMs as number, context };
      return this.peek(id, names, { known: context, signal });
    },

    /** What a text says; null: it is damaged, or its value cannot be had. @throws as TenantCipher.open, of its key. */
    async decode(
      id: TenantId,
      name: EntryName,
      text: string,
      { nowMs, context }: Peeked,
      signal?: AbortSignal,
    ): Promise<StoredEntry | null> {
      try {
        return await readEntry(text, {
          name,
          nowMs,
          maxBytes: mostRawBytes(config),
          fetch: (blob) => blobValues.read(id, blob, signal),
          open: (payload, parts) => cipher.open(id, context, payload, parts),
        });
      } catch (error) {
        if (error instanceof CorruptValueError) return null;
        throw error;
      }
    },
  };
}
