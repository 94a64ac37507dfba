/**
 * Values of cache entries that live in S3, behind a stub in Redis.
 *
 * An object has a name of its own each time, and is named in the tenant's index before it is written, with the time at which it
 * is deleted unless an entry takes it into use. So whoever dies in between leaves nothing behind. Only the collector deletes
 * objects (cleaning/doomed-objects.ts).
 */
import { sha256Of } from '../../blobs/sha256.ts';
import type { Blob, BlobStore } from '../../blobs/store.ts';
import { CorruptValueError, RedisUnavailableError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { Gate } from '../../gate/gate.ts';
import { newUlid, type TenantId } from '../../ids.ts';
import { cacheBlob, type EntryName, type Keys } from '../../keys.ts';
import { beginCacheObject } from '../../redis/bindings/cache-object-scripts.ts';
import { registerObject } from '../../redis/bindings/object-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { entryKeys, resourceOf } from '../entry-call.ts';
import type { BlobRef } from '../entry-format.ts';
import { noStorage, STORAGE_FULL } from '../outcomes.ts';
import type { BlobObject } from './blob-format.ts';

/** How long an object may stand unused: the time to write it, and to store its entry. */
export const UNUSED_MS = 15 * 60_000;

/** Names an object may be written under. */
export interface BlobSlot {
  readonly ulid: string;
  /** When it is deleted if no entry uses it, by Redis' clock, Unix ms: as scripts take it, `blobUntil`. */
  readonly untilMs: number;
}

/** An object that was written, and waits for its entry. */
export interface WrittenBlob extends BlobSlot {
  readonly ref: BlobRef;
}

export interface NewBlob {
  readonly bytes: number;
  /** It is an operation of its own; else part of the one that stores the entry. */
  readonly metered: boolean;
}

/** Where an object is named, and for how long. */
export interface Standing {
  readonly generation: number;
  /** Default {@link UNUSED_MS}. */
  readonly forMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type BlobValues = ReturnType<typeof createBlobValues>;

export function createBlobValues(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly blobs: BlobStore;
  readonly gate: Pick<Gate, 'run'>;
  /** Unix ms; only in names. */
  readonly now: () => number;
}) {
  const { redis, keys, blobs, gate, now } = deps;

  const nameObject = (id: TenantId, ulid: string, { generation, forMs = UNUSED_MS, signal }: Standing) =>
    runScript(redis, registerObject, {
      keys: { gate: keys.gate(id), index: keys.index(id, generation) },
      args: { object: ulid, forMs },
      kind: 'write',
      signal,
    });

  /** A lost reply leaves a name that is collected; the next try has another. */
  const register = async (id: TenantId, standing: Standing): Promise<BlobSlot> => {
    const ulid = newUlid(now());
    const untilMs = await nameObject(id, ulid, standing);
    if (untilMs === 0) throw new RedisUnavailableError('There is no such tenant, or its data was replaced');
    return { ulid, untilMs };
  };

  const put = async (
    id: TenantId,
    slot: BlobSlot,
    object: BlobObject,
    signal?: AbortSignal | undefined,
  ): Promise<WrittenBlob> => {
    const { bytes, codec, rawBytes } = object;
    const sha256 = sha256Of(bytes);
    const metadata = { 'riptide-sha256': sha256, 'riptide-codec': codec, 'riptide-raw-bytes': String(rawBytes) };
    await blobs.put({ key: cacheBlob(id, slot.ulid), body: bytes, metadata }, { signal });
    return { ...slot, ref: { ulid: slot.ulid, bytes: bytes.length, sha256 } };
  };

  return {
    /**
     * A name for an object, asked of the tenant's gate as a write of that entry: who may not, or has no room, leaves nothing in
     * S3. One round trip. @throws {StorageFullError} `storage_full`. @throws what `gate.run` throws.
     */
    async begin(caller: Caller, name: EntryName, { bytes, metered }: NewBlob): Promise<BlobSlot> {
      const entry = entryKeys(keys, caller.tenantId, name);
      let ulid = '';
      const { found } = await gate.run(caller, {
        script: beginCacheObject,
        scope: 'cache:write',
        kind: 'write',
        resource: resourceOf(name),
        keys: (context) => ({ entry: entry(context).entry, index: entry(context).index }),
        args: () => {
          ulid = newUlid(now());
          return { ulid, bytes, forMs: UNUSED_MS, meter: metered ? 1 : 0 };
        },
        declined: ([outcome]) => outcome === STORAGE_FULL,
      });
      const [outcome, untilMs] = found;
      if (outcome === STORAGE_FULL) throw noStorage(found);
      return { ulid, untilMs: Number(untilMs) };
    },

    /** A name for an object without a caller: for what the service moves itself. One round trip. */
    register,

    /** Writes the object under its name. @throws {BlobUnavailableError} it is collected, if it was written. */
    put,

    /** `register`, then `put`. */
    async write(
      id: TenantId,
      generation: number,
      object: BlobObject,
      signal?: AbortSignal | undefined,
    ): Promise<WrittenBlob> {
      return put(id, await register(id, { generation, signal }), object, signal);
    },

    /** Whether the object still stands unused: no entry has it, and it is not deleted yet. */
    async isWaiting(id: TenantId, slot: BlobSlot, { generation, signal }: Standing): Promise<boolean> {
      const command = ['ZSCORE', keys.index(id, generation), waitingMember(slot)] as const;
      return (await redis.send(command, { kind: 'read', signal })) !== null;
    },

    /** Has an object that {@link isWaiting} deleted soon: it waits no more. Two round trips; it has a name all the while. */
    async doom(id: TenantId, slot: BlobSlot, standing: Standing): Promise<void> {
      const { generation, signal } = standing;
      // Of a generation that was replaced it is deleted with that.
      if ((await nameObject(id, slot.ulid, { ...standing, forMs: 0 })) === 0) return;
      await redis.send(['ZREM', keys.index(id, generation), waitingMember(slot)], { kind: 'write', signal });
    },

    /**
     * The bytes of an object, checked: nothing of another length or digest is given out.
     * @throws {CorruptValueError} also when there is none. @throws {BlobUnavailableError} nobody knows.
     */
    async read(id: TenantId, ref: BlobRef, signal?: AbortSignal | undefined): Promise<Buffer> {
      const found = await blobs.get(cacheBlob(id, ref.ulid), { maxBytes: ref.bytes, signal });
      if (found === null) throw new CorruptValueError('The object of a stored entry is missing');
      return checked(found, ref);
    },
  };
}

/** In the tenant's index. */
const waitingMember = ({ ulid, untilMs }: BlobSlot): string => `d\0${String(untilMs).padStart(14, '0')}\0${ulid}`;

function checked({ body }: Blob, { bytes, sha256 }: BlobRef): Buffer {
  if (body.length !== bytes) throw new CorruptValueError('The object of a stored entry has another length');
  if (sha256Of(body) !== sha256) throw new CorruptValueError('The object of a stored entry fails its digest');
  return body;
}
