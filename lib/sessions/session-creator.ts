/** Creates sessions, through the gate: in Redis, or in S3 where their memory is full. */
import type { Config } from '../config/config.ts';
import { BlobUnavailableError, SessionIdError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import { newSessionId, type SessionIdParts, type TenantId } from '../ids.ts';
import { escapeControls, type Keys } from '../keys.ts';
import { createSession } from '../redis/bindings/session-write-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import type { NewSession, Session } from './session.ts';
import { operationOf, sessionKeys } from './session-call.ts';
import { META_FIELD, parseSessionHead } from './session-format.ts';
import { operationSessionId, sessionParts, sessionResource } from './session-ids.ts';
import { DONE, EXISTS, isFull, noRoom, OBJECT_GONE, SHARE_FULL, STORAGE_FULL, TERMINATED } from './session-outcomes.ts';
import { toInfo } from './session-reader.ts';
import { checkChange, checkUserId, lifetimesOf, metadataText } from './session-rules.ts';
import { sessionSettings } from './session-settings.ts';
import { dataFields, type SessionValues } from './session-values.ts';
import type { WriteOptions } from './session-writer.ts';
import type { ColdCreation } from './spillover/cold-creation.ts';
import type { SessionRoom } from './spillover/session-room.ts';

/** One to be made, checked. */
interface Wanted {
  readonly session: NewSession;
  readonly parts: SessionIdParts;
  readonly op: string;
  /** JSON; empty: it has none. */
  readonly meta: string;
}

export type SessionCreator = ReturnType<typeof createSessionCreator>;

export function createSessionCreator(deps: {
  readonly gate: Pick<Gate, 'run'>;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly values: SessionValues;
  readonly coldCreation: ColdCreation;
  readonly room: Pick<SessionRoom, 'make' | 'noteWrite'>;
  /** Of the deployment: ids are made with it from a caller's name for an operation. */
  readonly secret: string;
  /** Unix ms; only in ids. */
  readonly now: () => number;
}) {
  const { gate, keys, config, values, coldCreation, room, secret, now } = deps;

  const idOf = (tenantId: TenantId, { id }: NewSession, operation: string | undefined): string =>
    id ?? (operation === undefined ? newSessionId(now()) : operationSessionId(secret, tenantId, operation));

  const sealData = ({ tenantId }: Caller, context: TenantContext, { session, parts }: Wanted) =>
    values.seal(tenantId, context, parts.ulid, dataFields(session.data));

  const sealMeta = async ({ tenantId }: Caller, context: TenantContext, { meta, parts }: Wanted): Promise<string> => {
    if (meta === '') return '';
    const [, sealed = ''] = await values.seal(tenantId, context, parts.ulid, [[META_FIELD, meta]]);
    return sealed;
  };

  /** @param place where its data is in S3; empty: it comes along. */
  const attempt = (caller: Caller, wanted: Wanted, place: string) => {
    const { session, parts, op } = wanted;
    return gate.run(caller, {
      script: createSession,
      scope: 'sessions:write',
      kind: 'write',
      resource: sessionResource(parts.ulid),
      keys: ({ generation }) => {
        const { session: key, index, dead } = sessionKeys(keys, caller.tenantId, generation, parts.ulid);
        return { session: key, index, dead };
      },
      args: async (context) => ({
        ...lifetimesOf(session, sessionSettings(context, config)),
        secret: parts.secret,
        user: escapeControls(session.userId ?? ''),
        op,
        meta: await sealMeta(caller, context, wanted),
        place,
        fields: place === '' ? await sealData(caller, context, wanted) : [],
      }),
      full: isFull,
      makeRoom: (context, answer, round) => room.make(caller, context, answer, round),
      declined: ([outcome]) => outcome === EXISTS || outcome === TERMINATED || isFull([outcome as RedisReply]),
    });
  };

  /** Writes its data to S3 for it. @returns null: S3 does not answer, and it cannot be made. */
  const moveOut = async (caller: Caller, wanted: Wanted, context: TenantContext): Promise<string | null> => {
    const at = { id: caller.tenantId, generation: context.generation, signal: caller.signal };
    const fields = await sealData(caller, context, wanted);
    return coldCreation.write(at, wanted.parts.ulid, fields).catch((error: unknown) => {
      if (error instanceof BlobUnavailableError && !caller.signal?.aborted) return null;
      throw error;
    });
  };

  const make = async (caller: Caller, wanted: Wanted) => {
    const inRedis = await attempt(caller, wanted, '');
    const place = inRedis.found[0] === SHARE_FULL ? await moveOut(caller, wanted, inRedis.context) : null;
    if (place === null) return { ...inRedis, tier: 'hot' as const };
    return { ...(await attempt(caller, wanted, place)), tier: 'cold' as const };
  };

  return {
    /**
     * Makes a session. One round trip.
     * @throws {InvalidRequestError | BodyTooLargeError} it cannot be so. @throws {SessionIdError} the id it was to have is used.
     * @throws {StorageFullError} `memory_full` or `session_memory_full`.
     */
    async create(caller: Caller, session: NewSession = {}, { operation }: WriteOptions = {}): Promise<Session> {
      checkUserId(session.userId);
      checkChange({ set: session.data }, config.sessions.maxBytes);
      const meta = metadataText(session.metadata);
      const parts = sessionParts(idOf(caller.tenantId, session, operation));
      const { found, context, tier } = await make(caller, { session, parts, op: operationOf(operation), meta });
      requireMade(found);
      const [outcome, header, hotBytes, shareBytes] = found;
      if (outcome === DONE)
        await room.noteWrite(caller, context, { hotBytes: Number(hotBytes), shareBytes: Number(shareBytes) });
      const opened = { data: session.data ?? new Map<string, string>(), meta };
      return { ...toInfo(parseSessionHead((header as string).split('\n')[0] as string), parts, opened), tier };
    },
  };
}

function requireMade(found: readonly RedisReply[]): void {
  const [outcome] = found;
  if (isFull(found) || outcome === STORAGE_FULL || outcome === OBJECT_GONE) throw noRoom(found);
  if (outcome === EXISTS) throw new SessionIdError('session_exists', 'There is a session with this id');
  if (outcome === TERMINATED)
    throw new SessionIdError('session_terminated', 'The session with this id was terminated, and cannot come back');
}
