/** Creates sessions and changes their data, through the gate. */
import type { Config } from '../config/config.ts';
import { BlobUnavailableError, SessionIdError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import { newSessionId, type SessionIdParts, type TenantId } from '../ids.ts';
import { escapeControls, type Keys } from '../keys.ts';
import { createSession, updateSession } from '../redis/bindings/session-write-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import type { DataChange, NewSession, Session, SessionChange } from './session.ts';
import { operationOf, sessionKeys } from './session-call.ts';
import { DATA_PREFIX, META_FIELD, parseSessionHead } from './session-format.ts';
import { operationSessionId, sessionParts, sessionResource } from './session-ids.ts';
import {
  COLD,
  DONE,
  EXISTS,
  isFull,
  movedAgain,
  NONE,
  noRoom,
  OBJECT_GONE,
  OTHER_VERSION,
  otherVersion,
  requireReadable,
  SHARE_FULL,
  STORAGE_FULL,
  TERMINATED,
  TOO_LARGE,
} from './session-outcomes.ts';
import { toInfo } from './session-reader.ts';
import { checkChange, checkUserId, lifetimesOf, MAX_DATA_KEYS, metadataText, tooLarge } from './session-rules.ts';
import { sessionSettings } from './session-settings.ts';
import type { SessionValues } from './session-values.ts';
import type { ColdCreation } from './spillover/cold-creation.ts';
import type { ColdReads } from './spillover/cold-reads.ts';
import type { SessionRoom } from './spillover/session-room.ts';

export interface WriteOptions {
  /** The caller's name for this operation: the same again is done once. */
  readonly operation?: string | undefined;
}

/** Brought back from S3 and moved there again before it could be changed: so often. */
const MAX_TRIES = 5;

export type SessionWriter = ReturnType<typeof createSessionWriter>;

export function createSessionWriter(deps: {
  readonly gate: Pick<Gate, 'run'>;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly values: SessionValues;
  readonly cold: Pick<ColdReads, 'bringBack'>;
  readonly coldCreation: ColdCreation;
  readonly room: Pick<SessionRoom, 'make' | 'noteWrite'>;
  /** Of the deployment: ids are made with it from a caller's name for an operation. */
  readonly secret: string;
  /** Unix ms; only in ids. */
  readonly now: () => number;
}) {
  const { gate, keys, config, values, cold, coldCreation, room, secret, now } = deps;

  const idOf = (tenantId: TenantId, { id }: NewSession, operation: string | undefined): string =>
    id ?? (operation === undefined ? newSessionId(now()) : operationSessionId(secret, tenantId, operation));

  const data = (texts: ReadonlyMap<string, string> = new Map()) =>
    [...texts].map(([key, text]) => [DATA_PREFIX + key, text] as const);

  const changeHot = async (caller: Caller, id: string, change: DataChange, op: string) => {
    const parts = sessionParts(id);
    const { set = new Map(), remove = [], replace = false, ifVersion } = change;
    return gate.run(caller, {
      script: updateSession,
      scope: 'sessions:write',
      kind: 'write',
      resource: sessionResource(parts.ulid),
      keys: ({ generation }) => {
        const { session, index } = sessionKeys(keys, caller.tenantId, generation, parts.ulid);
        return { session, index };
      },
      args: async (context) => ({
        secret: parts.secret,
        condition: ifVersion ?? '',
        op,
        maxBytes: config.sessions.maxBytes,
        maxKeys: MAX_DATA_KEYS,
        replace: replace ? 1 : 0,
        sets: set.size,
        fields: [
          ...(await values.seal(caller.tenantId, context, parts.ulid, data(set))),
          ...(replace ? [] : remove.map((key) => DATA_PREFIX + key)),
        ],
      }),
      full: isFull,
      makeRoom: (context, answer, round) => room.make(caller, context, answer, round),
      declined: ([outcome]) =>
        outcome === NONE || outcome === OTHER_VERSION || outcome === COLD || isFull([outcome as RedisReply]),
    });
  };

  const sealMeta = async (caller: Caller, context: TenantContext, { ulid }: SessionIdParts, meta: string) => {
    if (meta === '') return undefined;
    return (await values.seal(caller.tenantId, context, ulid, [[META_FIELD, meta]]))[1];
  };

  const changed = async (
    caller: Caller,
    context: TenantContext,
    found: readonly RedisReply[],
  ): Promise<SessionChange> => {
    const [, version, expiresAtMs, hotBytes, shareBytes] = found;
    // One that did not grow has not looked at its share.
    if (Number(shareBytes) >= 0)
      await room.noteWrite(caller, context, { hotBytes: Number(hotBytes), shareBytes: Number(shareBytes) });
    return { version: Number(version), expiresAtMs: Number(expiresAtMs) };
  };

  return {
    /**
     * Makes a session. One round trip.
     * @throws {InvalidRequestError | BodyTooLargeError} it cannot be so. @throws {SessionIdError} the id it was to have is used.
     * @throws {StorageFullError} `memory_full` or `session_memory_full`.
     */
    async create(caller: Caller, session: NewSession = {}, { operation }: WriteOptions = {}): Promise<Session> {
      const { tenantId } = caller;
      checkUserId(session.userId);
      checkChange({ set: session.data }, config.sessions.maxBytes);
      const meta = metadataText(session.metadata);
      const parts = sessionParts(idOf(tenantId, session, operation));
      const op = operationOf(operation);
      const seal = (context: TenantContext) => values.seal(tenantId, context, parts.ulid, data(session.data));
      /** @param place where its data is in S3; empty: it comes along. */
      const attempt = (place: string) =>
        gate.run(caller, {
          script: createSession,
          scope: 'sessions:write',
          kind: 'write',
          resource: sessionResource(parts.ulid),
          keys: ({ generation }) => {
            const { session: key, index, dead } = sessionKeys(keys, tenantId, generation, parts.ulid);
            return { session: key, index, dead };
          },
          args: async (context) => ({
            ...lifetimesOf(session, sessionSettings(context, config)),
            secret: parts.secret,
            user: escapeControls(session.userId ?? ''),
            op,
            meta: (await sealMeta(caller, context, parts, meta)) ?? '',
            place,
            fields: place === '' ? await seal(context) : [],
          }),
          full: isFull,
          makeRoom: (context, answer, round) => room.make(caller, context, answer, round),
          declined: ([outcome]) => outcome === EXISTS || outcome === TERMINATED || isFull([outcome as RedisReply]),
        });
      const inRedis = await attempt('');
      let made = inRedis;
      if (made.found[0] === SHARE_FULL) {
        const { context } = made;
        const at = { id: tenantId, generation: context.generation, signal: caller.signal };
        const place = await coldCreation.write(at, parts.ulid, await seal(context)).catch((error: unknown) => {
          if (error instanceof BlobUnavailableError && !caller.signal?.aborted) return null;
          throw error;
        });
        if (place !== null) made = await attempt(place);
      }
      const { found, context } = made;
      const [outcome, header, hotBytes, shareBytes] = found;
      const tier = made === inRedis ? 'hot' : 'cold';
      if (isFull(found) || outcome === STORAGE_FULL || outcome === OBJECT_GONE) throw noRoom(found);
      if (outcome === EXISTS) throw new SessionIdError('session_exists', 'There is a session with this id');
      if (outcome === TERMINATED)
        throw new SessionIdError('session_terminated', 'The session with this id was terminated, and cannot come back');
      if (outcome === DONE)
        await room.noteWrite(caller, context, { hotBytes: Number(hotBytes), shareBytes: Number(shareBytes) });
      const opened = { data: session.data ?? new Map<string, string>(), meta };
      return { ...toInfo(parseSessionHead((header as string).split('\n')[0] as string), parts, opened), tier };
    },

    /**
     * Changes data; keys that are not named stay as they are, whoever writes them meanwhile. One round trip; of a session in S3
     * its data comes back first. @returns null when there is no such session.
     * @throws {VersionConflictError} it has another version than `ifVersion`. @throws as `create`.
     */
    async update(
      caller: Caller,
      id: string,
      change: DataChange,
      { operation }: WriteOptions = {},
    ): Promise<SessionChange | null> {
      const { maxBytes } = config.sessions;
      checkChange(change, maxBytes);
      const op = operationOf(operation);
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const { found, context } = await changeHot(caller, id, change, op);
        const [outcome] = found;
        requireReadable(outcome);
        if (outcome === NONE) return null;
        if (outcome === OTHER_VERSION) throw otherVersion(Number(found[1]));
        if (outcome === TOO_LARGE) throw tooLarge(maxBytes);
        if (isFull(found)) throw noRoom(found);
        if (outcome !== COLD) return changed(caller, context, found);
        const { ulid } = sessionParts(id);
        const place = { id: caller.tenantId, generation: context.generation, signal: caller.signal };
        await cold.bringBack({ caller, place, context, ulid, stub: found[1] as string });
      }
      throw movedAgain();
    },
  };
}
