/**
 * The cache of a tenant. Each call is one round trip, through the gate; see there for what every call may throw, besides
 * InvalidRequestError (entry-rules.ts). Values are bytes with a content type and come back byte for byte.
 */
import { randomBytes } from 'node:crypto';
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import { PreconditionFailedError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import { memoryFull, readShortage } from '../gate/full.ts';
import type { Gate } from '../gate/gate.ts';
import type { Scope } from '../gate/scope.ts';
import type { EntryName, Keys } from '../keys.ts';
import { deleteCacheEntry, getCacheEntry, setCacheEntry } from '../redis/bindings/cache-scripts.ts';
import type { Corruption } from './corruption.ts';
import type { PreviewDeleteResponse } from './delete-contract.ts';
import { readEntry, readHead, type StoredEntry, type StoredHead } from './entry.ts';
import type { EntryBody, EntryMeta } from './entry-format.ts';
import { checkEntry, checkName, ETAG } from './entry-rules.ts';
import type { CompressedEntry, ValuePacker } from './value-packer.ts';

/** What must hold of the stored entry; `etags` are without quotes. */
export type Condition = 'none' | 'absent' | 'exists' | { readonly etags: readonly string[] };

export interface SetEntry {
  readonly value: Uint8Array;
  readonly meta: EntryMeta;
  /** Null: never expires. */
  readonly ttlMs: number | null;
  readonly condition?: Condition;
}

export interface SetOutcome {
  readonly created: boolean;
  readonly etag: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  readonly updatedAtMs: number;
  /** Bytes of the value as given, and as stored. */
  readonly rawBytes: number;
  readonly storedBytes: number;
}

export type Cache = ReturnType<typeof createCache>;

export function createCache(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: TenantCipher;
  readonly corruption: Corruption;
}) {
  const { gate, keys, packer, cipher, corruption } = deps;

  const entryKeys = (caller: Caller, name: EntryName) => {
    checkName(name);
    return (context: TenantContext) => ({
      entry: keys.cacheEntry(caller.tenantId, context.generation, name),
      index: keys.index(caller.tenantId, context.generation),
    });
  };

  const read = async (caller: Caller, name: EntryName, want: string) => {
    const { nowMs, found, context } = await gate.run(caller, {
      script: getCacheEntry,
      scope: 'cache:read',
      kind: 'read',
      resource: resourceOf(name),
      keys: entryKeys(caller, name),
      args: () => ({ want }),
    });
    return { state: found[0], text: found[1] as string, nowMs, context };
  };

  /** Removes what cannot be read, so that it is a miss from now on; a value written meanwhile stays. */
  const discard = async (caller: Caller, name: EntryName, text: string) => {
    corruption.report(caller.tenantId);
    const digest = /^c1(?:,[^,\n]*){7},([\w-]+),/.exec(text)?.[1] ?? '';
    await remove(caller, name, { condition: `unreadable,${digest}`, scope: 'cache:read' });
    return null;
  };

  const remove = async (caller: Caller, name: EntryName, how: { condition: string; scope: Scope }): Promise<number> => {
    const { condition, scope } = how;
    const op = newOperation();
    const [outcome] = await askRemoval(caller, name, { condition, scope, op, kind: 'write' });
    return outcome as number;
  };

  /** @param how.op empty: nothing is removed, and the answer has the bytes. */
  const askRemoval = async (
    caller: Caller,
    name: EntryName,
    { condition, scope, op, kind }: { condition: string; scope: Scope; op: string; kind: 'read' | 'write' },
  ) => {
    const { found } = await gate.run(caller, {
      script: deleteCacheEntry,
      scope,
      kind,
      resource: resourceOf(name),
      keys: entryKeys(caller, name),
      args: () => ({ condition, op }),
      declined: ([outcome]) => outcome === CONDITION_FAILED,
    });
    return found;
  };

  /** The entry as it is stored: sealed once for a context, so that it is the same again after a lost reply. */
  const sealedOnce = (caller: Caller, entry: CompressedEntry) => {
    let last: { readonly version: string; readonly body: EntryBody } | undefined;
    return async (context: TenantContext): Promise<EntryBody> => {
      if (last?.version !== context.version) {
        const seal = await cipher.sealer(caller.tenantId, context);
        last = { version: context.version, body: packer.pack(entry, seal) };
      }
      return last.body;
    };
  };

  return {
    /**
     * The entry, or null when there is none. A stored value that fails its digest is reported, removed and a miss.
     * @param options.ifNoneMatch ETags the caller has, without quotes, or `*`: then `unchanged`, without the value.
     */
    async get(
      caller: Caller,
      name: EntryName,
      options: { readonly ifNoneMatch?: readonly string[] | '*' } = {},
    ): Promise<StoredEntry | (StoredHead & { readonly unchanged: true }) | null> {
      const wanted = options.ifNoneMatch ?? [];
      const { state, text, nowMs, context } = await read(caller, name, wanted === '*' ? '*' : etagsText(wanted));
      if (state === NONE) return null;
      try {
        if (state === UNCHANGED) return { ...readHead(text, nowMs), unchanged: true };
        return await readEntry(text, {
          name,
          nowMs,
          maxBytes: deps.config.maxEntrySizeBytes,
          open: (payload, parts) => cipher.open(caller.tenantId, context, payload, parts),
        });
      } catch (error) {
        if (corruption.is(error)) return discard(caller, name, text);
        throw error;
      }
    },

    /** What is known of the entry, without its value; or null. */
    async head(caller: Caller, name: EntryName): Promise<StoredHead | null> {
      const { state, text, nowMs } = await read(caller, name, 'meta');
      if (state === NONE) return null;
      try {
        return readHead(text, nowMs);
      } catch (error) {
        if (corruption.is(error)) return discard(caller, name, text);
        throw error;
      }
    },

    /**
     * Stores the entry, packed if that pays.
     * @throws {PreconditionFailedError} the condition does not hold. @throws {StorageFullError} `memory_full`.
     * @throws {BodyTooLargeError} larger than entries may be.
     */
    async set(caller: Caller, name: EntryName, entry: SetEntry): Promise<SetOutcome> {
      checkEntry(entry);
      const condition = conditionText(entry.condition ?? 'none');
      const own = { condition, ttlMs: entry.ttlMs ?? 0, op: newOperation() };
      const compressed = await packer.compress({ name, value: entry.value, meta: entry.meta });
      const sealed = sealedOnce(caller, compressed);
      const { found, context } = await gate.run(caller, {
        script: setCacheEntry,
        scope: 'cache:write',
        kind: 'write',
        resource: resourceOf(name),
        keys: entryKeys(caller, name),
        args: async (current) => ({ ...(await sealed(current)), ...own }),
        full: ([outcome]) => outcome === MEMORY_FULL,
        declined: ([outcome]) => outcome === CONDITION_FAILED || outcome === MEMORY_FULL,
      });
      const packed = await sealed(context);
      const [outcome, first, second, storedDigest] = found;
      if (outcome === CONDITION_FAILED) throw otherEntry();
      if (outcome === MEMORY_FULL) throw memoryFull(readShortage(found), 'delete entries, or ask for a larger quota');
      return {
        created: outcome === 1 || outcome === 6,
        // A replay tells what was stored: sealed again, it would have another digest.
        etag: (storedDigest as string | undefined) ?? packed.digest,
        expiresAtMs: Number(first) === 0 ? null : Number(first),
        updatedAtMs: Number(second),
        rawBytes: packed.rawBytes,
        storedBytes: Buffer.byteLength(packed.body) - packed.metaBytes,
      };
    },

    /** Removes the entry; false when there was none. @throws {PreconditionFailedError} the condition does not hold. */
    async delete(caller: Caller, name: EntryName, condition: Condition = 'none'): Promise<boolean> {
      const outcome = await remove(caller, name, { condition: conditionText(condition), scope: 'cache:write' });
      if (outcome === CONDITION_FAILED) throw otherEntry();
      return outcome === 1;
    },

    /**
     * What `delete` would remove now; nothing is removed. One operation, as `delete`.
     * @returns `bytes` it would give back of the tenant's memory. @throws {PreconditionFailedError} as `delete`.
     */
    async previewDelete(
      caller: Caller,
      name: EntryName,
      condition: Condition = 'none',
    ): Promise<PreviewDeleteResponse> {
      const look = { condition: conditionText(condition), scope: 'cache:write', op: '', kind: 'read' } as const;
      const [outcome, bytes] = await askRemoval(caller, name, look);
      if (outcome === CONDITION_FAILED) throw otherEntry();
      return { would_remove: outcome as number, bytes: bytes as number };
    },
  };
}

/** What a read found. */
const NONE = 0;
const UNCHANGED = 2;
/** Outcomes of the scripts that changed nothing. */
const CONDITION_FAILED = 3;
const MEMORY_FULL = 5;

const otherEntry = () => new PreconditionFailedError('The stored entry is not the one the condition names');

/** As policies name it. */
const resourceOf = ({ namespace, key }: EntryName) => `cache/${namespace}/${key}`;

/** 96 random bits, hex. */
const newOperation = () => randomBytes(12).toString('hex');

const conditionText = (condition: Condition): string => {
  if (condition === 'none') return '';
  return typeof condition === 'string' ? condition : etagsText(condition.etags) || '-';
};

/** Only what can match: to a script `absent` and `exists` are conditions of their own, and a comma ends a tag. */
const etagsText = (etags: readonly string[]): string => etags.filter((etag) => ETAG.test(etag)).join(',');
