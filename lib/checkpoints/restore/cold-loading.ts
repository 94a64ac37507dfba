/** Moves hot sessions of a checkpoint to S3 while they are loaded: those there is no room for in Redis. */
import { newUlid } from '../../ids.ts';
import { DATA_PREFIX, META_FIELD, parseHotSession } from '../../sessions/session-format.ts';
import type { SessionBlobs } from '../../sessions/spillover/session-blobs.ts';
import { encodeSessionObject } from '../../sessions/spillover/session-object.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { ColdSessionRecord, HotSessionRecord } from '../format/checkpoint-line.ts';
import type { RecordLoad } from './record-load.ts';

export interface ColdLoaded {
  readonly record: ColdSessionRecord;
  /** Member of the index that has its object deleted; it goes when the stub stands. */
  readonly waits: string;
}

/** Until then an object that no stub uses stays. */
const WAITS_MS = 86_400_000;

export type ColdLoading = ReturnType<typeof createColdLoading>;

export function createColdLoading(deps: {
  readonly recordLoad: RecordLoad;
  readonly sessionBlobs: () => Promise<Pick<SessionBlobs, 'put' | 'delete'>>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { recordLoad, sessionBlobs, now } = deps;

  const write = async (
    place: TenantPlace,
    session: HotSessionRecord,
    objectUlid: string,
  ): Promise<ColdSessionRecord> => {
    const { id, hash, user } = session;
    const { head, meta } = parseHotSession(Object.entries(hash).flat());
    const texts = Object.entries(hash).filter(([name]) => name.startsWith(DATA_PREFIX));
    const fields = new Map([...(meta === '' ? [] : [[META_FIELD, meta] as const]), ...texts]);
    const { version, seq } = head;
    const object = await encodeSessionObject({ tenantId: place.id, sessionUlid: id, version, seq, fields });
    await (await sessionBlobs()).put(place.id, objectUlid, object, place.signal);
    const header = (hash.h ?? '').split('\n', 1)[0] as string;
    const { bytes, sha256, rawBytes } = object;
    const stub = `${header}\n${objectUlid}.${id},${bytes.length},${sha256},${rawBytes},${head.chargedBytes},${version},${seq},-\n${meta}`;
    return { kind: 'session', user, id, stub };
  };

  return {
    /**
     * Writes their objects. @param place the generation that is loaded. @returns null: it is not any more.
     * @throws {BlobUnavailableError} nothing is lost.
     */
    async toCold(place: TenantPlace, sessions: readonly HotSessionRecord[]): Promise<readonly ColdLoaded[] | null> {
      const named = sessions.map((session) => ({ session, object: newUlid(now()) }));
      const waits = named.map(
        ({ session, object }) => `d\0${String(now() + WAITS_MS).padStart(14, '0')}\0${object}.${session.id}`,
      );
      if (waits.length === 0) return [];
      if (!(await recordLoad(place, { records: [], added: waits, removed: [] }))) return null;
      const loaded = await Promise.all(
        named.map(async ({ session, object }, i) => ({
          record: await write(place, session, object),
          waits: waits[i] as string,
        })),
      );
      // An erasure that began before they were there may have looked already; one that begins now finds them.
      if (await recordLoad(place, { records: [], added: [], removed: [] })) return loaded;
      const names = named.map(({ session, object }) => ({ objectUlid: object, sessionUlid: session.id }));
      await (await sessionBlobs()).delete(place.id, names, place.signal);
      return null;
    },
  };
}
