/**
 * Moves sessions of a tenant to S3: they are claimed and read, their objects written, stubs put in their places. Each step may be
 * the last one: a session is where it was until its stub is there, and an object no stub names is collected.
 */
import { randomBytes } from 'node:crypto';
import type { SpilloverConfig } from '../../config/config.ts';
import { newUlid } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import { claimSessions, stubSessions } from '../../redis/bindings/spill-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { DATA_PREFIX, type HotSession, parseHotSession } from '../session-format.ts';
import type { ColdestSessions, FoundSession } from './coldest-sessions.ts';
import type { SessionBlobs } from './session-blobs.ts';
import { type EncodedSession, encodeSessionObject } from './session-object.ts';

/** How long a claim lasts: nobody else spills the session meanwhile, ms. */
const CLAIM_MS = 30_000;
/** How long an object may stand unused: the time to write it, and to put its stub, ms. */
export const OBJECT_MS = 15 * 60_000;
/** Read in one step, of sessions that may have a megabyte each. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** In a row, without one that could be moved. */
const MAX_IDLE_BATCHES = 3;

export interface Spilled {
  /** Sessions moved. */
  readonly spilled: number;
  /** They were charged, bytes. */
  readonly freedBytes: number;
  /** Of their objects. */
  readonly objectBytes: number;
  /** Bytes of hot sessions the tenant has then; null: nothing was moved. */
  readonly hotBytes: number | null;
  /** Not moved: used or changed meanwhile, claimed by somebody else, or gone. */
  readonly passedOver: number;
  /** Not moved: the tenant's storage is full. */
  readonly storageFull: boolean;
}

const NOTHING: Spilled = {
  spilled: 0,
  freedBytes: 0,
  objectBytes: 0,
  hotBytes: null,
  passedOver: 0,
  storageFull: false,
};

interface Claimed {
  readonly ulid: string;
  readonly objectUlid: string;
  readonly access: string;
  readonly session: HotSession;
}

/** Null: its object could not be written. */
interface Written extends Claimed {
  readonly object: EncodedSession | null;
}

export type Spiller = ReturnType<typeof createSpiller>;

export function createSpiller(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<SpilloverConfig, 'batchSize'>;
  readonly coldest: ColdestSessions;
  readonly sessionBlobs: SessionBlobs;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
  /** Unix ms; only in names. */
  readonly now: () => number;
}) {
  const { redis, keys, config, coldest, sessionBlobs, telemetry, now } = deps;

  const claim = async ({ id, generation, signal }: TenantPlace, found: readonly FoundSession[], token: string) => {
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
    const claimed = sessions.flatMap((fields, i): Claimed[] => {
      const { ulid, access } = found[i] as FoundSession;
      return fields === null
        ? []
        : [{ ulid, access, objectUlid: objects[i] as string, session: parseHotSession(fields) }];
    });
    return { untilMs, claimed };
  };

  const write = async (
    { id, signal }: TenantPlace,
    { ulid, objectUlid, session }: Claimed,
  ): Promise<EncodedSession> => {
    const { version, seq } = session.head;
    const fields = new Map([...session.data].map(([key, text]) => [DATA_PREFIX + key, text]));
    const object = await encodeSessionObject({ tenantId: id, sessionUlid: ulid, version, seq, fields });
    await sessionBlobs.put(id, objectUlid, object, signal);
    return object;
  };

  /** Also gives back the claims of all, those among them whose objects could not be written: else they would be passed over for a while. */
  const stub = (
    { id, generation, signal }: TenantPlace,
    written: readonly Written[],
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
    });

  /**
   * Moves these sessions, if they are still as they were found. Two round trips, and their objects at once.
   * @throws {BlobUnavailableError} none of their objects could be written: they are as they were.
   */
  const spill = async (place: TenantPlace, found: readonly FoundSession[]): Promise<Spilled> => {
    if (found.length === 0) return NOTHING;
    const startedAt = performance.now();
    const token = randomBytes(6).toString('hex');
    const { untilMs, claimed } = await claim(place, found, token);
    const settled = await Promise.allSettled(claimed.map((one) => write(place, one)));
    const written = claimed.map((one, i): Written => {
      const outcome = settled[i];
      return { ...one, object: outcome?.status === 'fulfilled' ? outcome.value : null };
    });
    if (written.length === 0) return { ...NOTHING, passedOver: found.length };
    const how = { token, untilMs, startedAt };
    const failed = settled.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined && written.every(({ object }) => object === null)) {
      await stub(place, written, how).catch(() => null);
      throw failed.reason;
    }
    const { hotBytes, outcomes } = await stub(place, written, how);
    const moved = written.filter((_one, i) => outcomes[i] === STUBBED);
    if (moved.length > 0) telemetry.count('riptide_spillover_operations_total');
    return {
      spilled: moved.length,
      freedBytes: moved.reduce((sum, { session }) => sum + session.head.chargedBytes, 0),
      objectBytes: moved.reduce((sum, { object }) => sum + (object?.bytes.length ?? 0), 0),
      hotBytes,
      passedOver: found.length - moved.length,
      storageFull: outcomes.includes(STORAGE_FULL),
    };
  };

  return {
    spill,

    /**
     * Moves the tenant's coldest sessions, batch by batch, until it has at most so many hot bytes or nothing more can be moved.
     * @throws {BlobUnavailableError} some may have been moved.
     */
    async spillTo(
      place: TenantPlace,
      hotBytes: number,
      { maxBatches }: { readonly maxBatches: number },
    ): Promise<Spilled> {
      let sum = NOTHING;
      let after: FoundSession | undefined;
      let idle = 0;
      for (let batch = 0; batch < maxBatches && idle < MAX_IDLE_BATCHES && !place.signal?.aborted; batch++) {
        const found = await coldest.find(place, config.batchSize, after);
        if (found.length === 0) break;
        const now = await spill(place, found);
        sum = add(sum, now);
        // Those that could not be moved stand first the next time.
        if (now.passedOver > 0) after = found.at(-1);
        idle = now.spilled === 0 ? idle + 1 : 0;
        if (now.storageFull || (now.hotBytes !== null && now.hotBytes <= hotBytes)) break;
      }
      return sum;
    },
  };
}

/** Of no session: its claim is given back, and nothing else is done. */
const NO_SEQ = -1;
/** Outcomes of one. */
const STUBBED = '1';
const STORAGE_FULL = '2';

const add = (one: Spilled, other: Spilled): Spilled => ({
  spilled: one.spilled + other.spilled,
  freedBytes: one.freedBytes + other.freedBytes,
  objectBytes: one.objectBytes + other.objectBytes,
  hotBytes: other.hotBytes ?? one.hotBytes,
  passedOver: one.passedOver + other.passedOver,
  storageFull: one.storageFull || other.storageFull,
});
