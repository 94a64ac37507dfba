/** Reads sessions through the gate. */
import type { Config } from '../config/config.ts';
import { SessionCorruptError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import type { SessionIdParts } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { getSession } from '../redis/bindings/session-read-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import type { Session, SessionInfo, SessionMetadata } from './session.ts';
import { newOperation, sessionKeys } from './session-call.ts';
import { DATA_PREFIX, type HotSession, META_FIELD, parseHotHead, parseHotSession } from './session-format.ts';
import { sessionIdOf, sessionParts, sessionResource } from './session-ids.ts';
import { fillOf, sessionSettings } from './session-settings.ts';
import type { SessionValues } from './session-values.ts';
import type { Claim, ColdReads } from './spillover/cold-reads.ts';

/** What the script found. */
const HOT = 1;
const CLAIMED = 2;
const HELD = 3;
const UNREADABLE = 9;

/** How long who restores a session keeps others from doing the same: longer than S3 takes, ms. */
export const CLAIM_MS = 10_000;

export interface ReadSession {
  /** False: it is only looked at, and does not live longer for it. Default true. */
  readonly touch?: boolean;
}

export type SessionReader = ReturnType<typeof createSessionReader>;

export function createSessionReader(deps: {
  readonly gate: Pick<Gate, 'run'>;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly values: SessionValues;
  /** What reads a session whose data is in S3. */
  readonly cold: Pick<ColdReads, 'read'>;
}) {
  const { gate, keys, config, values, cold } = deps;

  const open = async (caller: Caller, context: TenantContext, parts: SessionIdParts, session: HotSession) => {
    const opened = async (name: string, stored: string) =>
      values.open(caller.tenantId, context, parts.ulid, [name, stored]);
    const data = new Map<string, string>();
    for (const [key, stored] of session.data) data.set(key, await opened(DATA_PREFIX + key, stored));
    return { data, meta: session.meta === '' ? '' : await opened(META_FIELD, session.meta) };
  };

  return {
    /**
     * The session with its data, or null. One round trip; of one that is in S3, one read of S3 and mostly another round trip.
     * @throws {SessionLostError | SessionCorruptError} its data was in S3, and is not there any more as it was.
     * @throws {BlobUnavailableError} S3 does not answer, and its data is there.
     */
    async get(caller: Caller, id: string, { touch = true }: ReadSession = {}): Promise<Session | null> {
      const parts = sessionParts(id);
      const token = newOperation();
      const { found, context } = await gate.run(caller, {
        script: getSession,
        scope: 'sessions:read',
        kind: 'read',
        resource: sessionResource(parts.ulid),
        keys: ({ generation }) => {
          const { session, index, claim } = sessionKeys(keys, caller.tenantId, generation, parts.ulid);
          return { session, index, claim };
        },
        args: (known) => ({
          secret: parts.secret,
          touch: touch ? 1 : 0,
          token,
          claimMs: CLAIM_MS,
          fill: fillOf(sessionSettings(known, config).thresholdRatio),
        }),
      });
      const [state, text, ...rest] = found;
      if (state === UNREADABLE) throw new SessionCorruptError('The session cannot be read where it is stored');
      if (state === HOT) {
        const stored = parseHotSession(rest as readonly string[]);
        // The fields have the header before it was used.
        const session = text === '' ? stored : { ...stored, ...parseHotHead(text as string) };
        return { ...toInfo(session.head, parts, await open(caller, context, parts, session)), tier: 'hot' };
      }
      if (text === '' || text === undefined) return null;
      const place = { id: caller.tenantId, generation: context.generation, signal: caller.signal };
      const stored = await cold.read({
        place,
        context,
        ulid: parts.ulid,
        secret: parts.secret,
        stub: text as string,
        claim: claimOf(state, token, rest.map(Number)),
      });
      if (stored === null) return null;
      return { ...toInfo(stored.head, parts, await open(caller, context, parts, stored)), tier: 'cold' };
    },
  };
}

function claimOf(
  state: RedisReply | undefined,
  token: string,
  [first = 0, shareBytes = 0, epoch = 0]: number[],
): Claim {
  if (state === CLAIMED) return { state: 'mine', token };
  if (state === HELD) return { state: 'held', forMs: first };
  return { state: 'unfit', share: { hotBytes: first, shareBytes, epoch } };
}

/** @param opened its data, and its metadata; empty: there is none. */
export function toInfo<Data>(
  head: HotSession['head'],
  { ulid }: Pick<SessionIdParts, 'ulid'>,
  opened: { readonly data: Data; readonly meta: string },
): Omit<SessionInfo, 'tier'> & { readonly data: Data } {
  return {
    id: sessionIdOf({ ulid, secret: head.secret }),
    userId: head.userId,
    version: head.version,
    createdAtMs: head.createdAtMs,
    lastAccessedAtMs: head.accessedAtMs,
    expiresAtMs: head.expiresAtMs,
    absoluteEndMs: head.absoluteEndMs,
    ttlMs: head.idleMs,
    metadata: opened.meta === '' ? {} : (JSON.parse(opened.meta) as SessionMetadata),
    dataBytes: head.dataBytes,
    data: opened.data,
  };
}
