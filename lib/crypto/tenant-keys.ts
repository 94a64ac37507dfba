/**
 * The wrapped data keys of a tenant, kept in S3 as `keys/<tenant>` and nowhere else: its context in Redis only names them.
 * Removed, everything encrypted under them is lost for good, in Redis, in checkpoints and in every backup of either.
 */
import type { Blob, BlobStore } from '../blobs/store.ts';
import {
  CorruptValueError,
  EncryptionUnavailableError,
  KeyProviderUnavailableError,
  KeyRefusedError,
} from '../errors.ts';
import type { KeyRef } from '../gate/context-format.ts';
import type { TenantId } from '../ids.ts';
import { tenantKeysBlob } from '../keys.ts';
import { dataKeyContext } from './data-keys.ts';
import type { KeyProvider, WrappedKey } from './key-provider.ts';

/** A data key as it is stored. */
export interface StoredKey extends KeyRef {
  /** Base64; only the provider can read it. */
  readonly wrapped: string;
}

/** All data keys of a tenant; `data_key`: the version that new values are encrypted under. */
export interface TenantKeySet {
  readonly keys: readonly StoredKey[];
  readonly data_key: number;
}

/** What the tenant's context keeps of them. */
export const keyRefs = ({ keys }: TenantKeySet): readonly KeyRef[] =>
  keys.map(({ version, key_id }) => ({ version, key_id }));

export type TenantKeys = ReturnType<typeof createTenantKeys>;

const FORMAT = 1;
const MAX_BYTES = 1_048_576;
/** Old versions stay as long as values are encrypted under them. */
const MAX_VERSIONS = 100;
const MAX_TRIES = 5;

/** @param provider null: none is configured. */
export function createTenantKeys(deps: { readonly provider: KeyProvider | null; readonly blobs: BlobStore }) {
  const { blobs } = deps;

  const required = (): KeyProvider => {
    if (deps.provider === null) throw new EncryptionUnavailableError();
    return deps.provider;
  };

  const generate = async (id: TenantId, version: number, signal?: AbortSignal): Promise<StoredKey> => {
    const { plaintext, wrapped, keyId } = await required().generate(dataKeyContext(id), { signal });
    plaintext.fill(0);
    return { version, key_id: keyId, wrapped };
  };

  const read = async (id: TenantId, signal?: AbortSignal) => {
    const blob = await blobs.get(tenantKeysBlob(id), { maxBytes: MAX_BYTES, signal });
    return blob === null ? null : { set: parse(blob), etag: blob.etag };
  };

  const write = (id: TenantId, set: TenantKeySet, onlyIf: 'absent' | { etag: string }, signal?: AbortSignal) =>
    blobs.put(
      {
        key: tenantKeysBlob(id),
        body: Buffer.from(JSON.stringify({ format: FORMAT, tenant: id, ...set })),
        contentType: 'application/json',
        onlyIf,
      },
      { signal },
    );

  /** The same key under the master key of today. */
  const rewrapped = async (id: TenantId, key: StoredKey, signal?: AbortSignal): Promise<StoredKey> => {
    const provider = required();
    const context = dataKeyContext(id);
    const plaintext = await provider.unwrap({ wrapped: key.wrapped, keyId: key.key_id }, context, { signal });
    try {
      const { wrapped, keyId } = await provider.wrap(plaintext, context, { signal });
      return { version: key.version, key_id: keyId, wrapped };
    } finally {
      plaintext.fill(0);
    }
  };

  /** Reads, changes and writes, again when somebody else was faster. Null: there are no keys. */
  const change = async (
    id: TenantId,
    decide: (set: TenantKeySet | null) => Promise<TenantKeySet>,
    signal?: AbortSignal,
  ) => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const stored = await read(id, signal);
      const set = await decide(stored?.set ?? null);
      if (set === stored?.set) return set;
      const onlyIf = stored === null ? 'absent' : { etag: stored.etag };
      if ((await write(id, set, onlyIf, signal)) !== null) return set;
    }
    throw new KeyProviderUnavailableError('Others change the data keys of this tenant again and again', {
      retryAfterMs: 1_000,
    });
  };

  return {
    /**
     * The tenant's keys; the first one is made when there is none. Asked again, it gives the same.
     * @throws {EncryptionUnavailableError | KeyProviderUnavailableError | KeyRefusedError | BlobUnavailableError}
     */
    provision: (id: TenantId, signal?: AbortSignal): Promise<TenantKeySet> =>
      change(id, async (set) => set ?? { keys: [await generate(id, 1, signal)], data_key: 1 }, signal),

    /**
     * Adds a data key for new values and wraps the older ones again. Values under older ones stay readable.
     * @param from the version to be followed: done already, or with 100 versions there, nothing is added.
     * @throws {KeyRefusedError} `destroyed`: there are none, and none are made. @throws as `provision`.
     */
    rotate: (id: TenantId, from: number, signal?: AbortSignal): Promise<TenantKeySet> =>
      change(
        id,
        async (stored) => {
          const set = undestroyed(stored);
          if (set.data_key !== from || set.keys.length >= MAX_VERSIONS) return set;
          const version = Math.max(...set.keys.map((key) => key.version)) + 1;
          const older = await Promise.all(set.keys.map((key) => rewrapped(id, key, signal)));
          return { keys: [...older, await generate(id, version, signal)], data_key: version };
        },
        signal,
      ),

    /** Wraps what is wrapped under another master key than today's; nothing is lost meanwhile. @throws as `rotate`. */
    rewrap: (id: TenantId, currentKeyId: string, signal?: AbortSignal): Promise<TenantKeySet> =>
      change(
        id,
        async (stored) => {
          const set = undestroyed(stored);
          if (set.keys.every((key) => key.key_id === currentKeyId)) return set;
          const keys = set.keys.map((key) => (key.key_id === currentKeyId ? key : rewrapped(id, key, signal)));
          return { ...set, keys: await Promise.all(keys) };
        },
        signal,
      ),

    /** The master key that wraps now; null: no provider is configured. @throws as `provision`. */
    currentKeyId: async (signal?: AbortSignal): Promise<string | null> =>
      deps.provider === null ? null : deps.provider.currentKeyId({ signal }),

    /** Which keys there are, by what S3 has; none when they were destroyed, or never made. @throws {BlobUnavailableError} */
    async refs(id: TenantId, signal?: AbortSignal): Promise<readonly KeyRef[]> {
      const stored = await read(id, signal);
      return stored === null ? [] : keyRefs(stored.set);
    },

    /**
     * One key, to be unwrapped.
     * @throws {KeyRefusedError} `destroyed`: it is not there any more. @throws {BlobUnavailableError}
     */
    async find(id: TenantId, version: number): Promise<WrappedKey> {
      const stored = await read(id);
      const key = stored?.set.keys.find((one) => one.version === version);
      if (key === undefined) throw new KeyRefusedError('destroyed', 'The data key of this value was destroyed');
      return { wrapped: key.wrapped, keyId: key.key_id };
    },

    /** Whether there are keys of the tenant. @throws {BlobUnavailableError} */
    exists: async (id: TenantId, signal?: AbortSignal): Promise<boolean> =>
      (await blobs.head(tenantKeysBlob(id), { signal })) !== null,

    /** Removes the keys for good. @throws {BlobUnavailableError} */
    destroy: (id: TenantId, signal?: AbortSignal): Promise<void> => blobs.delete([tenantKeysBlob(id)], { signal }),
  };
}

/**
 * Keys that are gone were destroyed with their tenant, or lost: new ones under the old versions would make all that is
 * sealed look damaged, and stand in the way of a backup.
 * @throws {KeyRefusedError}
 */
function undestroyed(set: TenantKeySet | null): TenantKeySet {
  if (set === null) throw new KeyRefusedError('destroyed', 'The data keys of this tenant were destroyed');
  return set;
}

function parse(blob: Blob): TenantKeySet {
  const { format, keys, data_key } = JSON.parse(blob.body.toString()) as TenantKeySet & { readonly format: number };
  if (format !== FORMAT || !Array.isArray(keys))
    throw new CorruptValueError('The data keys of a tenant cannot be read');
  return { keys, data_key };
}
