/** Puts one session of a checkpoint back, among all that serve: its data goes to a new object, and comes hot with its first read. */
import { NotFoundError, StorageFullError } from '../../errors.ts';
import { newUlid } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { type Reinstated, reinstateSession } from '../../redis/bindings/checkpoint-scripts.ts';
import { registerObject } from '../../redis/bindings/object-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import {
  DATA_PREFIX,
  META_FIELD,
  parseHotSession,
  parseSessionStub,
  type SessionHead,
} from '../../sessions/session-format.ts';
import type { SessionBlobs } from '../../sessions/spillover/session-blobs.ts';
import {
  decodeSessionObject,
  encodeSessionObject,
  MAX_SESSION_RAW_BYTES,
  type SessionFields,
} from '../../sessions/spillover/session-object.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import type { ColdSessionRecord, HotSessionRecord } from '../format/checkpoint-line.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import { recordsOf } from './restored-source.ts';

export type SessionRecord = HotSessionRecord | ColdSessionRecord;

/** Until then the object stays without a stub. */
const OBJECT_MS = 300_000;

interface FoundSession {
  readonly header: string;
  readonly head: SessionHead;
  readonly meta: string;
  readonly fields: SessionFields;
}

export type SessionRestore = ReturnType<typeof createSessionRestore>;

export function createSessionRestore(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly store: CheckpointStore;
  readonly sessionBlobs: () => Promise<Pick<SessionBlobs, 'put' | 'read' | 'delete'>>;
  /** Unix ms; only in names. */
  readonly now: () => number;
}) {
  const { redis, keys, store, sessionBlobs, now } = deps;

  const read = async ({ id, signal }: TenantPlace, record: SessionRecord): Promise<FoundSession> => {
    if ('hash' in record) {
      const { head, meta, data } = parseHotSession(Object.entries(record.hash).flat());
      const texts = [...data].map(([name, text]) => [DATA_PREFIX + name, text] as const);
      const fields = new Map([...(meta === '' ? [] : [[META_FIELD, meta] as const]), ...texts]);
      return { header: (record.hash.h ?? '').split('\n', 1)[0] as string, head, meta, fields };
    }
    const { head, meta, place } = parseSessionStub(record.stub);
    const bytes = await (await sessionBlobs()).read(id, place, signal);
    const fields = await decodeSessionObject(bytes, { ...place, tenantId: id, maxRawBytes: MAX_SESSION_RAW_BYTES });
    return { header: record.stub.split('\n', 1)[0] as string, head, meta, fields };
  };

  const put = async (
    { id, generation, signal }: TenantPlace,
    ulid: string,
    found: FoundSession,
  ): Promise<Reinstated> => {
    const { header, head, meta, fields } = found;
    const { version, seq } = head;
    const object = newUlid(now());
    const until = await runScript(redis, registerObject, {
      keys: { gate: keys.gate(id), index: keys.index(id, generation) },
      args: { object: `${object}.${ulid}`, forMs: OBJECT_MS },
      kind: 'write',
      signal,
    });
    if (until === 0) return 'no_tenant';
    const encoded = await encodeSessionObject({ tenantId: id, sessionUlid: ulid, version, seq, fields });
    await (await sessionBlobs()).put(id, object, encoded, signal);
    const { bytes, sha256, rawBytes } = encoded;
    const place = [bytes.length, sha256, rawBytes, head.chargedBytes, version, seq].join(',');
    const outcome = await runScript(redis, reinstateSession, {
      keys: {
        gate: keys.gate(id),
        session: keys.session(id, generation, ulid),
        index: keys.index(id, generation),
        dead: keys.deadSessions(id),
      },
      args: { header, object, place, meta, until },
      kind: 'write',
      signal,
    });
    // Its index, which would have it deleted, may be gone, too.
    if (outcome === 'no_tenant')
      await (await sessionBlobs()).delete(id, [{ objectUlid: object, sessionUlid: ulid }], signal);
    return outcome;
  };

  return {
    /** @throws {NotFoundError} `session_not_found`: the checkpoint has none of this id. @throws as `recordsOf`. */
    async find(line: CheckpointTenant, ulid: string, signal: AbortSignal): Promise<SessionRecord> {
      for await (const record of recordsOf(store, line, signal))
        if (record.kind === 'session' && record.id === ulid) return record;
      throw new NotFoundError('session_not_found', 'The checkpoint has no such session of the tenant');
    },

    /**
     * Again, it is put back again. @throws {StorageFullError} memory or storage of the tenant is full.
     * @throws {SessionLostError | CorruptValueError} its data is gone, or damaged.
     */
    async run(place: TenantPlace, record: SessionRecord): Promise<Exclude<Reinstated, 'memory_full' | 'storage_full'>> {
      const outcome = await put(place, record.id, await read(place, record));
      if (outcome === 'memory_full' || outcome === 'storage_full')
        throw new StorageFullError(outcome, 'The tenant has no room for the session');
      return outcome;
    },
  };
}
