/**
 * Reads sessions whose data is in S3, and brings it back into Redis where there is room: once, however many ask at once. The
 * object is read once, and believed only if it is the one the stub names.
 */
import type { Config } from '../../config/config.ts';
import {
  CorruptValueError,
  isStoreFull,
  RedisUnavailableError,
  SessionCorruptError,
  SessionLostError,
} from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import { peekSessions } from '../../redis/bindings/session-read-scripts.ts';
import { restoreSession } from '../../redis/bindings/spill-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { sessionKeys } from '../session-call.ts';
import {
  DATA_PREFIX,
  type HotSession,
  parseHotSession,
  parseSessionStub,
  type SessionStub,
} from '../session-format.ts';
import { MEMORY_FULL, noRoom, type SessionNeed, sessionMemoryFull } from '../session-outcomes.ts';
import { sessionSettings } from '../session-settings.ts';
import type { Quarantine } from './quarantine.ts';
import type { SessionBlobs } from './session-blobs.ts';
import { decodeSessionObject, MAX_SESSION_RAW_BYTES } from './session-object.ts';
import type { SessionRoom } from './session-room.ts';

export interface ColdRead {
  readonly place: TenantPlace;
  readonly context: TenantContext;
  readonly ulid: string;
  /** Of the id that was asked for. */
  readonly secret: string;
  readonly stub: string;
  readonly claim: Claim;
}

export interface ColdOffer extends Pick<ColdRead, 'place' | 'ulid' | 'stub'> {
  readonly context: Pick<TenantContext, 'sessions'>;
}

/** Who brings it back: this caller; somebody else, for that long; nobody, for there is no room, unless the share can be raised. */
export type Claim =
  | { readonly state: 'mine'; readonly token: string }
  | { readonly state: 'held'; readonly forMs: number }
  | { readonly state: 'unfit'; readonly share: Omit<SessionNeed, 'neededBytes'> }
  | { readonly state: 'none' };

const NO_CLAIM: Claim = { state: 'none' };

/** Between two looks at what somebody else brings back, ms. */
const FIRST_LOOK_MS = 10;
const MAX_LOOK_MS = 200;
/** So long at most: who brings it back may have ended. Then it is read where it is, ms. */
const MAX_AWAIT_MS = 1_000;
const RESTORED = 1;
const NO_ROOM = 2;
/** Of no session. */
const NO_SEQ = -1;
const ALL = 1_000;
const MAX_ROUNDS = 5;

export type ColdReads = ReturnType<typeof createColdReads>;

export function createColdReads(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly sessionBlobs: Pick<SessionBlobs, 'read'>;
  readonly room: Pick<SessionRoom, 'growToFit' | 'makeFor' | 'make'>;
  readonly quarantine: Quarantine;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
}) {
  const { redis, keys, config, sessionBlobs, room, quarantine, telemetry } = deps;
  /** Reads under way, by object. */
  const flights = new Map<string, Promise<ReadonlyMap<string, string>>>();

  const peek = async ({ id, generation, signal }: TenantPlace, ulid: string) => {
    const [stored = null] = await runScript(redis, peekSessions, {
      keys: { sessions: [keys.session(id, generation, ulid)] },
      args: { what: 'all' },
      kind: 'read',
      signal,
    });
    return stored;
  };

  /** The data as it is stored. */
  const load = async ({ id, signal }: TenantPlace, { place }: SessionStub): Promise<ReadonlyMap<string, string>> => {
    const bytes = await sessionBlobs.read(id, place, signal);
    const { sessionUlid, version, seq, bytes: length, rawBytes, sha256 } = place;
    const expected = { tenantId: id, sessionUlid, version, seq, bytes: length, rawBytes, sha256 };
    const fields = await decodeSessionObject(bytes, { ...expected, maxRawBytes: MAX_SESSION_RAW_BYTES });
    return new Map([...fields].map(([name, text]) => [name.slice(DATA_PREFIX.length), text]));
  };

  const loadOnce = (place: TenantPlace, stub: SessionStub): Promise<ReadonlyMap<string, string>> => {
    const name = flightOf(place, stub);
    const under = flights.get(name);
    if (under !== undefined) return under;
    // Shared by several: one caller's deadline does not end it for the others.
    const flight = load({ ...place, signal: undefined }, stub).finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  };

  /** Puts it back into Redis; whoever reads does not depend on it. */
  const restore = (
    { id, generation, signal }: TenantPlace,
    ulid: string,
    stub: SessionStub,
    how: {
      readonly data: ReadonlyMap<string, string>;
      readonly token: string;
      readonly fill: number;
      readonly startedAt: number;
    },
  ) => {
    const { session, index, claim, lately } = sessionKeys(keys, id, generation, ulid);
    return runScript(redis, restoreSession, {
      keys: { gate: keys.gate(id), index, session, claim, lately },
      args: {
        seq: stub.head.seq,
        object: stub.place.objectUlid,
        token: how.token,
        fill: how.fill,
        restoreUs: Math.round((performance.now() - how.startedAt) * 1_000),
        fields: [...how.data].flatMap(([key, text]) => [DATA_PREFIX + key, text]),
      },
      kind: 'write',
      signal,
    });
  };

  /** Gives a claim back: the script does so whatever it finds. Else it ends by itself. */
  const giveUp = ({ id, generation, signal }: TenantPlace, ulid: string, token: string): Promise<unknown> => {
    const { session, index, claim, lately } = sessionKeys(keys, id, generation, ulid);
    return runScript(redis, restoreSession, {
      keys: { gate: keys.gate(id), index, session, claim, lately },
      args: { seq: NO_SEQ, object: '', token, fill: 0, restoreUs: 0, fields: [] },
      kind: 'write',
      signal,
    }).catch(() => null);
  };

  /** What somebody else has brought back; or the stub again, once nobody does. */
  const awaitOther = async (
    place: TenantPlace,
    ulid: string,
    heldForMs: number,
  ): Promise<string | readonly string[] | null> => {
    const until = performance.now() + Math.min(MAX_AWAIT_MS, Math.max(0, heldForMs));
    let stored: string | readonly string[] | null = null;
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(MAX_LOOK_MS, wait * 2)) {
      place.signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, wait));
      stored = await peek(place, ulid);
      if (typeof stored !== 'string' || performance.now() >= until) return stored;
      const claim = keys.sessionClaim(place.id, place.generation, ulid);
      if ((await redis.send(['EXISTS', claim], { kind: 'read', signal: place.signal })) !== 1) return peek(place, ulid);
    }
  };

  /** The data; or, of a session that was moved or changed meanwhile, that one. Makes a lost or damaged one known. */
  const fetch = async (place: TenantPlace, ulid: string, stub: SessionStub) => {
    try {
      const data = await loadOnce(place, stub);
      if (stub.place.quarantined) await quarantine.lift(place, ulid, stub);
      return { data };
    } catch (error) {
      if (!(error instanceof SessionLostError || error instanceof CorruptValueError)) throw error;
      const current = await peek(place, ulid);
      if (typeof current !== 'string' || parseSessionStub(current).place.objectUlid !== stub.place.objectUlid)
        return { current };
      await quarantine.add(place, ulid, stub, error instanceof SessionLostError ? 'lost' : 'corrupt');
      if (error instanceof SessionLostError) throw error;
      throw new SessionCorruptError('The session was moved to S3, and is damaged there', { cause: error });
    }
  };

  const read = async (cold: ColdRead, tries: number): Promise<HotSession | null> => {
    const { place, context, ulid, secret, claim } = cold;
    const again = async (stored: string | readonly string[] | null): Promise<HotSession | null> => {
      if (stored === null) return null;
      if (typeof stored !== 'string') return ofSecret(parseHotSession(stored), secret);
      if (tries >= MAX_ROUNDS)
        throw new RedisUnavailableError('The session was moved again and again while it was read', {
          retryAfterMs: 1_000,
        });
      return read({ ...cold, stub: stored, claim: NO_CLAIM }, tries + 1);
    };
    if (claim.state === 'held' && !flights.has(flightOf(place, parseSessionStub(cold.stub))))
      return again(await awaitOther(place, ulid, claim.forMs));
    const stub = parseSessionStub(cold.stub);
    if (stub.head.secret !== secret) return null;
    const startedAt = performance.now();
    const found = await fetch(place, ulid, stub).catch(async (error: unknown) => {
      if (claim.state === 'mine') await giveUp(place, ulid, claim.token);
      throw error;
    });
    if ('current' in found) return again(found.current ?? null);
    const { data } = found;
    if (claim.state === 'mine' || (claim.state === 'unfit' && (await mayGrow(cold, claim.share, stub)))) {
      const token = claim.state === 'mine' ? claim.token : '';
      const fill = Math.floor(sessionSettings(context, config).thresholdRatio * ALL);
      await restore(place, ulid, stub, { data, token, fill, startedAt }).then(
        ({ outcome }) => {
          if (outcome === RESTORED) telemetry.count('riptide_spillover_operations_total');
        },
        async (error: unknown) => {
          telemetry.logger.warn('A session could not be brought back', { tenant_id: place.id, error: error as Error });
          if (claim.state === 'mine' && isStoreFull(error)) await giveUp(place, ulid, claim.token);
        },
      );
    }
    return { head: stub.head, meta: stub.meta, data };
  };

  /** Whether the tenant's share was raised so far that the session has room below the threshold. */
  const mayGrow = (
    { place, context }: ColdRead,
    share: Omit<SessionNeed, 'neededBytes'>,
    { place: { hotBytes } }: SessionStub,
  ): Promise<boolean> => room.growToFit(place, context, { ...share, neededBytes: hotBytes }).catch(() => false);

  return {
    /**
     * The session, its data as stored; null: it is gone by now. One read of S3, shared by those who ask at once.
     * @throws {SessionLostError | SessionCorruptError} its object is gone or damaged. @throws {BlobUnavailableError} nobody knows.
     */
    read: (cold: ColdRead): Promise<HotSession | null> => read(cold, 0),

    /**
     * Has the data in Redis, so that it can be changed. @throws as `read`.
     * @throws {StorageFullError} `session_memory_full`; `memory_full`: the tenant's own, also without entries to evict.
     */
    async bringBack({
      caller,
      place,
      context,
      ulid,
      stub: text,
    }: Pick<ColdRead, 'place' | 'context' | 'ulid' | 'stub'> & { readonly caller: Caller }): Promise<void> {
      const stub = parseSessionStub(text);
      const startedAt = performance.now();
      const found = await fetch(place, ulid, stub);
      if ('current' in found) return;
      for (let round = 0; ; round++) {
        const { data } = found;
        const { outcome, ...now } = await restore(place, ulid, stub, { data, token: '', fill: ALL, startedAt });
        if (outcome === RESTORED) telemetry.count('riptide_spillover_operations_total');
        if (outcome !== NO_ROOM) return;
        if (now.shortage !== null) {
          const { used, held, needed, limit } = now.shortage;
          const answer = [MEMORY_FULL, used, held, needed, limit];
          if (round >= MAX_ROUNDS || !(await room.make(caller, context, answer, round))) throw noRoom(answer);
          continue;
        }
        const need = { hotBytes: now.hotBytes, shareBytes: now.share, epoch: now.epoch, neededBytes: now.needed };
        if (round >= MAX_ROUNDS || !(await room.makeFor(place, context, need))) throw sessionMemoryFull(need);
      }
    },

    /**
     * Brings it back before anybody asks for it, if it then has room below the tenant's threshold: nothing is moved for it.
     * @param grow asked where it has none: whether the share was raised. @throws as `read`.
     * @returns `cold`: there is no room, also none for others of its size; `changed`: it is another by now, or gone.
     */
    async offer(
      { place, context, ulid, stub: text }: ColdOffer,
      grow: (need: SessionNeed) => Promise<boolean>,
    ): Promise<'restored' | 'cold' | 'changed'> {
      const stub = parseSessionStub(text);
      const startedAt = performance.now();
      const found = await fetch(place, ulid, stub);
      if ('current' in found) return 'changed';
      const fill = Math.floor(sessionSettings(context, config).thresholdRatio * ALL);
      for (let round = 0; ; round++) {
        const { outcome, shortage, ...now } = await restore(place, ulid, stub, {
          ...found,
          token: '',
          fill,
          startedAt,
        });
        if (outcome === RESTORED) telemetry.count('riptide_spillover_operations_total');
        if (outcome !== NO_ROOM) return outcome === RESTORED ? 'restored' : 'changed';
        const need = { hotBytes: now.hotBytes, shareBytes: now.share, epoch: now.epoch, neededBytes: now.needed };
        if (shortage !== null || round > 0 || !(await grow(need))) return 'cold';
      }
    },
  };
}

const flightOf = ({ id }: TenantPlace, { place }: SessionStub): string => `${id}/${place.objectUlid}`;

const ofSecret = (session: HotSession, secret: string): HotSession | null =>
  session.head.secret === secret ? session : null;
