/** Reads sessions whose data is in S3, and brings them back into Redis where there is room: once, however many ask at once. */
import type { Config } from '../../config/config.ts';
import { isStoreFull, RedisUnavailableError } from '../../errors.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { type HotSession, parseHotSession, parseSessionStub, type SessionStub } from '../session-format.ts';
import type { SessionNeed } from '../session-outcomes.ts';
import { sessionSettings } from '../session-settings.ts';
import type { ColdData, StoredSession } from './cold-data.ts';
import type { Restorer } from './restorer.ts';
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
const MAX_ROUNDS = 5;

export type ColdReads = ReturnType<typeof createColdReads>;

export function createColdReads(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly coldData: Pick<ColdData, 'peek' | 'isUnderWay' | 'fetch'>;
  readonly restorer: Pick<Restorer, 'restore' | 'giveUp'>;
  readonly room: Pick<SessionRoom, 'growToFit'>;
  readonly telemetry: Pick<Telemetry, 'logger'>;
}) {
  const { redis, keys, config, coldData, restorer, room, telemetry } = deps;

  /** What somebody else has brought back; or the stub again, once nobody does. */
  const awaitOther = async (place: TenantPlace, ulid: string, heldForMs: number): Promise<StoredSession> => {
    const until = performance.now() + Math.min(MAX_AWAIT_MS, Math.max(0, heldForMs));
    let stored: StoredSession = null;
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(MAX_LOOK_MS, wait * 2)) {
      place.signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, wait));
      stored = await coldData.peek(place, ulid);
      if (typeof stored !== 'string' || performance.now() >= until) return stored;
      const claim = keys.sessionClaim(place.id, place.generation, ulid);
      if ((await redis.send(['EXISTS', claim], { kind: 'read', signal: place.signal })) !== 1)
        return coldData.peek(place, ulid);
    }
  };

  /** Whether the tenant's share was raised so far that the session has room below the threshold. */
  const mayGrow = (
    { place, context }: ColdRead,
    share: Omit<SessionNeed, 'neededBytes'>,
    { place: { hotBytes } }: SessionStub,
  ): Promise<boolean> => room.growToFit(place, context, { ...share, neededBytes: hotBytes }).catch(() => false);

  /** Brings back what was read, if that is this caller's to do; who reads does not depend on it. */
  const bringBack = async (
    cold: ColdRead,
    stub: SessionStub,
    read: { readonly data: ReadonlyMap<string, string>; readonly startedAt: number },
  ): Promise<void> => {
    const { place, context, ulid, claim } = cold;
    if (claim.state !== 'mine' && !(claim.state === 'unfit' && (await mayGrow(cold, claim.share, stub)))) return;
    const token = claim.state === 'mine' ? claim.token : '';
    const { thresholdRatio: fillRatio } = sessionSettings(context, config);
    await restorer.restore(place, ulid, stub, { ...read, token, fillRatio }).catch(async (error: unknown) => {
      telemetry.logger.warn('A session could not be brought back', { tenant_id: place.id, error: error as Error });
      if (claim.state === 'mine' && isStoreFull(error)) await restorer.giveUp(place, ulid, claim.token);
    });
  };

  const read = async (cold: ColdRead, tries: number): Promise<HotSession | null> => {
    const { place, ulid, secret, claim } = cold;
    const again = async (stored: StoredSession): Promise<HotSession | null> => {
      if (stored === null) return null;
      if (typeof stored !== 'string') return ofSecret(parseHotSession(stored), secret);
      if (tries >= MAX_ROUNDS)
        throw new RedisUnavailableError('The session was moved again and again while it was read', {
          retryAfterMs: 1_000,
        });
      return read({ ...cold, stub: stored, claim: NO_CLAIM }, tries + 1);
    };
    if (claim.state === 'held' && !coldData.isUnderWay(place, parseSessionStub(cold.stub)))
      return again(await awaitOther(place, ulid, claim.forMs));
    const stub = parseSessionStub(cold.stub);
    if (stub.head.secret !== secret) return null;
    const startedAt = performance.now();
    const found = await coldData.fetch(place, ulid, stub).catch(async (error: unknown) => {
      if (claim.state === 'mine') await restorer.giveUp(place, ulid, claim.token);
      throw error;
    });
    if ('current' in found) return again(found.current);
    const { data } = found;
    await bringBack(cold, stub, { data, startedAt });
    return { head: stub.head, meta: stub.meta, data };
  };

  return {
    /**
     * The session, its data as stored; null: it is gone by now. One read of S3, shared by those who ask at once.
     * @throws {SessionLostError | SessionCorruptError} its object is gone or damaged. @throws {BlobUnavailableError} nobody knows.
     */
    read: (cold: ColdRead): Promise<HotSession | null> => read(cold, 0),
  };
}

const ofSecret = (session: HotSession, secret: string): HotSession | null =>
  session.head.secret === secret ? session : null;
