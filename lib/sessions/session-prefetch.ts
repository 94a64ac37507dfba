/** Brings sessions back from S3 before they are read, through the gate: as who signs in, or opens the next page, asks for them. */
import type { Config } from '../config/config.ts';
import { InvalidRequestError, SessionCorruptError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import { allows } from '../gate/policies.ts';
import { escapeControls, type Keys } from '../keys.ts';
import { checkKey } from '../redis/bindings/key-scripts.ts';
import { listSessions, peekSessions } from '../redis/bindings/session-read-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import type { TenantPlace } from '../tenants/tenant-place.ts';
import { parseHotSession, parseSessionStub, type SessionHead } from './session-format.ts';
import { sessionIdOf, sessionParts, sessionResource } from './session-ids.ts';
import { MAX_PREFETCHED, requireUserId } from './session-rules.ts';
import type { Offered, Prefetcher } from './spillover/prefetcher.ts';
import type { SessionRoom } from './spillover/session-room.ts';

/** `hot`: its data was in Redis; `restored`: it is now; `cold`: it stays in S3, as there is no room or S3 does not have it now. */
export type PrefetchStatus = 'hot' | 'restored' | 'cold' | 'not_found';

export interface Prefetched {
  readonly id: string;
  readonly status: PrefetchStatus;
}

export type SessionPrefetch = ReturnType<typeof createSessionPrefetch>;

/** One that was asked for; `stub` null: it is hot. */
interface Found {
  readonly ulid: string;
  readonly head: SessionHead;
  readonly stub: string | null;
}

export function createSessionPrefetch(deps: {
  readonly gate: Pick<Gate, 'run'>;
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly prefetcher: Pick<Prefetcher, 'offerAll'>;
  readonly room: Pick<SessionRoom, 'growToFit'>;
}) {
  const { gate, redis, keys, prefetcher, room } = deps;

  /** As they stand; null: there is none. One round trip. */
  const look = async ({ id, generation, signal }: TenantPlace, ulids: readonly string[]) => {
    if (ulids.length === 0) return [];
    const stored = await runScript(redis, peekSessions, {
      keys: { sessions: ulids.map((ulid) => keys.session(id, generation, ulid)) },
      args: { what: 'heads' },
      kind: 'read',
      signal,
    });
    return stored.map((text, i) => (text === null ? null : readFound(ulids[i] as string, text)));
  };

  /** What becomes of each, by ULID. */
  const bring = async (place: TenantPlace, context: TenantContext, found: readonly Found[]) => {
    const cold = found.flatMap(({ ulid, stub }) => (stub === null ? [] : [{ ulid, stub }]));
    const grow = (need: Parameters<SessionRoom['growToFit']>[2]) => room.growToFit(place, context, need);
    const isOver = () => place.signal?.aborted === true;
    const outcomes = await prefetcher.offerAll(place, cold, { context, grow, isOver });
    const statuses = new Map<string, PrefetchStatus>(found.map(({ ulid }) => [ulid, 'hot']));
    const changed: string[] = [];
    for (const [i, { ulid }] of cold.entries()) {
      const outcome = outcomes[i] as Offered;
      if (outcome === 'changed') changed.push(ulid);
      else statuses.set(ulid, outcome);
    }
    // Somebody else has moved or ended it meanwhile.
    for (const [i, now] of (await look(place, changed)).entries()) {
      const ulid = changed[i] as string;
      statuses.set(ulid, now === null ? 'not_found' : now.stub === null ? 'hot' : 'cold');
    }
    return statuses;
  };

  const placeOf = ({ tenantId: id, signal }: Caller, { generation }: TenantContext) => ({ id, generation, signal });

  return {
    /**
     * Those of these ids that are in S3, as far as there is room below the threshold. Being brought back is not being used. Two
     * round trips, and one read of S3 and one trip for each that comes, 8 at once.
     * @throws {InvalidRequestError} more than {@link MAX_PREFETCHED}, or none.
     */
    async prefetch(caller: Caller, ids: readonly string[]): Promise<readonly Prefetched[]> {
      if (ids.length === 0 || ids.length > MAX_PREFETCHED)
        throw new InvalidRequestError(`1 to ${MAX_PREFETCHED} sessions can be asked for at once`);
      const asked = ids.map(sessionParts);
      const { context, nowMs } = await gate.run(caller, {
        script: checkKey,
        scope: 'sessions:read',
        kind: 'read',
        allowed: (policies, who) =>
          asked.every(({ ulid }) => allows(policies, { ...who, resource: sessionResource(ulid) })),
        keys: () => ({}),
        args: () => ({}),
      });
      const place = placeOf(caller, context);
      const ulids = [...new Set(asked.map(({ ulid }) => ulid))];
      const found = new Map((await look(place, ulids)).map((one, i) => [ulids[i] as string, one]));
      const isAsked = ({ ulid, secret }: (typeof asked)[number]) => {
        const head = found.get(ulid)?.head;
        return head !== undefined && head.secret === secret && head.expiresAtMs > nowMs;
      };
      const wanted = ulids.filter((ulid) => asked.some((parts) => parts.ulid === ulid && isAsked(parts)));
      const statuses = await bring(
        place,
        context,
        wanted.map((ulid) => found.get(ulid) as Found),
      );
      return ids.map((id, i) => {
        const parts = asked[i] as (typeof asked)[number];
        return { id, status: isAsked(parts) ? (statuses.get(parts.ulid) as PrefetchStatus) : 'not_found' };
      });
    },

    /** The first {@link MAX_PREFETCHED} of a user's sessions, as {@link prefetch}. @throws {InvalidRequestError} not a user id. */
    async prefetchUser(caller: Caller, userId: string): Promise<readonly Prefetched[]> {
      requireUserId(userId);
      const { found, context, nowMs } = await gate.run(caller, {
        script: listSessions,
        scope: 'sessions:read',
        kind: 'read',
        resource: 'sessions/*',
        keys: ({ generation }) => ({ index: keys.index(caller.tenantId, generation) }),
        args: () => ({ user: escapeControls(userId), after: '', limit: MAX_PREFETCHED }),
      });
      const place = placeOf(caller, context);
      const own = (await look(place, found as readonly string[])).filter(
        (one) => one !== null && one.head.userId === userId && one.head.expiresAtMs > nowMs,
      ) as readonly Found[];
      const statuses = await bring(place, context, own);
      return own.map(({ ulid, head: { secret } }) => ({
        id: sessionIdOf({ ulid, secret }),
        status: statuses.get(ulid) as PrefetchStatus,
      }));
    },
  };
}

/** Null: it cannot be read; who asks for it itself is told so. */
function readFound(ulid: string, stored: string | readonly string[]): Found | null {
  try {
    if (typeof stored === 'string') return { ulid, head: parseSessionStub(stored).head, stub: stored };
    return { ulid, head: parseHotSession(stored).head, stub: null };
  } catch (error) {
    if (!(error instanceof SessionCorruptError)) throw error;
    return null;
  }
}
