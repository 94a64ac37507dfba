/** Stores entries through the gate. */
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import { LeaseLostError, UploadError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import { readShortage } from '../gate/full.ts';
import type { Gate } from '../gate/gate.ts';
import type { EntryName, Keys } from '../keys.ts';
import { setCacheEntry } from '../redis/bindings/cache-write-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import { type Condition, conditionText, entryKeys, newOperation, resourceOf } from './entry-call.ts';
import type { EntryMeta } from './entry-format.ts';
import { checkEntry } from './entry-rules.ts';
import type { BlobValues } from './large/blob-values.ts';
import { lifetimeText } from './lifetime.ts';
import type { MakeRoom } from './memory/make-room.ts';
import { settingsFor } from './namespace-settings.ts';
import {
  BLOB_GONE,
  CONDITION_FAILED,
  conditionFailed,
  LEASE_LOST,
  MEMORY_FULL,
  noMemory,
  noStorage,
  STORAGE_FULL,
  wasCreated,
} from './outcomes.ts';
import { type PackedEntry, packOnce } from './packed-entry.ts';
import type { ValuePacker } from './value-packer.ts';

export interface SetEntry {
  readonly value: Uint8Array;
  readonly meta: EntryMeta;
  /** How long it is fresh. Null: it never expires; absent: as the namespace is set. */
  readonly ttlMs?: number | null | undefined;
  /** How long it may be served stale after that; absent: as the namespace is set. */
  readonly graceMs?: number | undefined;
  readonly condition?: Condition;
  /** Token of the lease the value was loaded under. */
  readonly lease?: string | undefined;
}

export interface SetOutcome {
  readonly created: boolean;
  readonly etag: string;
  /** When it is gone, its grace included. Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  /** Unix ms; null: as long as it lives. */
  readonly freshUntilMs: number | null;
  readonly updatedAtMs: number;
  /** Bytes of the value as given, and as stored. */
  readonly rawBytes: number;
  readonly storedBytes: number;
}

const CHANGED_NOTHING: readonly (RedisReply | undefined)[] = [
  CONDITION_FAILED,
  MEMORY_FULL,
  LEASE_LOST,
  STORAGE_FULL,
  BLOB_GONE,
];

export type EntryWriter = ReturnType<typeof createEntryWriter>;

export function createEntryWriter(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly packer: ValuePacker;
  readonly cipher: TenantCipher;
  readonly blobValues: Pick<BlobValues, 'begin' | 'put'>;
  readonly makeRoom: MakeRoom;
}) {
  const { gate, keys, config, packer, makeRoom } = deps;

  const packed = packOnce(deps);

  /** Stores what was packed elsewhere. `op`: the same again is a replay, as long as the entry is still that one. */
  const setPacked = async (
    caller: Caller,
    name: EntryName,
    entry: Omit<SetEntry, 'value'>,
    { pack, op }: { readonly pack: (context: TenantContext) => Promise<PackedEntry>; readonly op: string },
  ): Promise<SetOutcome> => {
    checkEntry(entry);
    const condition = conditionText(entry.condition ?? 'none');
    const own = { condition, token: entry.lease ?? '', op };
    const records = entryKeys(keys, caller.tenantId, name);
    const { found, context } = await gate.run(caller, {
      script: setCacheEntry,
      scope: 'cache:write',
      kind: 'write',
      resource: resourceOf(name),
      keys: records,
      args: async (current) => {
        const { body, blob, blobUntil } = await pack(current);
        const [ttlMs, graceMs] = lifetimeText(entry, settingsFor(current, config, name.namespace));
        return { ...body, blob, blobUntil, ttlMs, graceMs, ...own };
      },
      full: ([outcome]) => outcome === MEMORY_FULL,
      makeRoom: (current, answer, round) =>
        makeRoom(caller, current, { ...readShortage(answer), round }, [records(current).entry]),
      declined: ([outcome]) => CHANGED_NOTHING.includes(outcome),
    });
    requireStored(found);
    return outcomeOf(found, await pack(context));
  };

  return {
    setPacked,

    /**
     * Stores the entry, packed if that pays.
     * @throws {PreconditionFailedError} the condition does not hold. @throws {LeaseLostError} of `lease`: nothing is stored.
     * @throws {StorageFullError} `memory_full` or `storage_full`. @throws {BodyTooLargeError} larger than entries may be.
     */
    async set(caller: Caller, name: EntryName, entry: SetEntry): Promise<SetOutcome> {
      packer.requireSize(entry.value);
      return setPacked(caller, name, entry, { pack: packed(caller, name, entry), op: newOperation() });
    },
  };
}

/** @throws unless the script has stored it. */
function requireStored(found: readonly RedisReply[]): void {
  switch (found[0]) {
    case CONDITION_FAILED:
      throw conditionFailed();
    case LEASE_LOST:
      throw new LeaseLostError(
        'The lease is over, or the entry was written or invalidated since it was granted; read it again',
        {
          overtaken: found[1] === 1,
        },
      );
    case MEMORY_FULL:
      throw noMemory(found);
    case STORAGE_FULL:
      throw noStorage(found);
    case BLOB_GONE:
      throw new UploadError(
        'upload_gone',
        'The value does not wait in S3 any more: it was used, or its time is over; begin again',
      );
  }
}

function outcomeOf(found: readonly RedisReply[], { body, storedBytes }: PackedEntry): SetOutcome {
  const [outcome, expires, fresh, updated, storedDigest] = found;
  return {
    created: wasCreated(outcome),
    // A replay tells what was stored: sealed again, it would have another digest.
    etag: (storedDigest as string | undefined) ?? body.digest,
    expiresAtMs: Number(expires) || null,
    freshUntilMs: Number(fresh) || null,
    updatedAtMs: Number(updated),
    rawBytes: body.rawBytes,
    storedBytes,
  };
}
