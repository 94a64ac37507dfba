/** The three steps in which sessions of one tenant are moved to S3, each of many at once; spiller.ts says what they come to. */
import { newUlid } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { claimSessions, stubSessions } from '../../redis/bindings/spill-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { DATA_PREFIX, type HotSession, parseHotSession } from '../session-format.ts';
import type { FoundSession } from './coldest-sessions.ts';
import type { SessionBlobs } from './session-blobs.ts';
import { type EncodedSession, encodeSessionObject } from './session-object.ts';

/** How long a claim lasts: nobody else spills the session meanwhile, ms. */
const CLAIM_MS = 30_000;
/** How long an object may stand unused: the time to write it, and to put its stub, ms. */
export const OBJECT_MS = 15 * 60_000;
/** Read in one step, of sessions that may have a megabyte each. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Of no session: its claim is given back, and nothing else is done. */
const NO_SEQ = -1;

/** One that is being moved, as it was read. */
export interface ClaimedSession {
  readonly ulid: string;
  readonly objectUlid: string;
  readonly access: string;
  readonly session: HotSession;
}

export interface WrittenSession extends ClaimedSession {
  /** Null: it could not be written. */
  readonly object: EncodedSession | null;
}

export type SpillSteps = ReturnType<typeof createSpillSteps>;

export function createSpillSteps(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly sessionBlobs: Pick<SessionBlobs, 'put'>;
  /** Unix ms; only in names. */
  readonly now: () => number;
}) {
  const { redis, keys, sessionBlobs, now } = deps;

  return {
    /** Claims those that are as they were found, and reads them. One round trip. @returns until when their objects may wait, Unix ms. */
    async claim({ id, generation, signal }: TenantPlace, found: readonly FoundSession[], token: string) {
      const objects = found.map(() => newUlid(now()));
      const { untilMs, sessions } = await runScript(redis, claimSessions, {
        keys: {
          gate: keys.gate(id),
          index: keys.index(id, generation),
          records: [
            ...found.map(({ ulid }) => keys.session(id, generation, ulid)),
            ...found.map(({ ulid }) => keys.sessionClaim(id, generation, ulid)),
          ],
        },
        args: {
          count: found.length,
          token,
          claimMs: CLAIM_MS,
          objectMs: OBJECT_MS,
          maxBytes: MAX_BATCH_BYTES,
          seen: found.flatMap(({ access }, i) => [access, objects[i] as string]),
        },
        kind: 'write',
        signal,
      });
      const claimed = sessions.flatMap((fields, i): ClaimedSession[] => {
        const { ulid, access } = found[i] as FoundSession;
        return fields === null
          ? []
          : [{ ulid, access, objectUlid: objects[i] as string, session: parseHotSession(fields) }];
      });
      return { untilMs, claimed };
    },

    /** Puts its object into S3. @throws {BlobUnavailableError} it may be there, and is collected. */
    async write({ id, signal }: TenantPlace, { ulid, objectUlid, session }: ClaimedSession): Promise<EncodedSession> {
      const { version, seq } = session.head;
      const fields = new Map([...session.data].map(([key, text]) => [DATA_PREFIX + key, text]));
      const object = await encodeSessionObject({ tenantId: id, sessionUlid: ulid, version, seq, fields });
      await sessionBlobs.put(id, objectUlid, object, signal);
      return object;
    },

    /**
     * Puts stubs in their places, if they are still as they were read. One round trip. Also gives back the claims of all, those
     * among them whose objects could not be written: else they would be passed over for a while.
     * @param how.untilMs of `claim`. @param how.startedAt of `performance.now()`.
     */
    stub: (
      { id, generation, signal }: TenantPlace,
      written: readonly WrittenSession[],
      how: { readonly token: string; readonly untilMs: number; readonly startedAt: number },
    ) =>
      runScript(redis, stubSessions, {
        keys: {
          gate: keys.gate(id),
          index: keys.index(id, generation),
          lately: keys.sessionsLately(id, generation),
          records: [
            ...written.map(({ ulid }) => keys.session(id, generation, ulid)),
            ...written.map(({ ulid }) => keys.sessionClaim(id, generation, ulid)),
          ],
        },
        args: {
          count: written.length,
          token: how.token,
          until: how.untilMs,
          spillUs: Math.round((performance.now() - how.startedAt) * 1_000),
          places: written.flatMap(({ session, access, objectUlid, object }) =>
            object === null
              ? [NO_SEQ, access, objectUlid, 0, '-', 0]
              : [session.head.seq, access, objectUlid, object.bytes.length, object.sha256, object.rawBytes],
          ),
        },
        kind: 'write',
        signal,
      }),
  };
}
