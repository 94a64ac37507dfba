/** Keeps sessions alive, and gives them new ids; their data stays where it is. Through the gate. */
import type { Config } from '../config/config.ts';
import type { Caller } from '../gate/caller.ts';
import type { Gate } from '../gate/gate.ts';
import { newSessionId } from '../ids.ts';
import { escapeControls, type Keys } from '../keys.ts';
import { rotateSession, touchSession } from '../redis/bindings/session-write-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import type { SessionChange, SessionInfo } from './session.ts';
import { operationOf, sessionKeys } from './session-call.ts';
import { META_FIELD, parseSessionHead } from './session-format.ts';
import { derivedSessionId, sessionIdOf, sessionParts, sessionResource } from './session-ids.ts';
import { isFull, NONE, noRoom, OTHER_VERSION, otherVersion, requireReadable } from './session-outcomes.ts';
import { toInfo } from './session-reader.ts';
import { checkUserId, lifetimesOf } from './session-rules.ts';
import { sessionSettings } from './session-settings.ts';
import type { SessionValues } from './session-values.ts';
import type { WriteOptions } from './session-writer.ts';
import type { SessionRoom } from './spillover/session-room.ts';

export interface Rotation {
  /** Whose it becomes: of somebody who has just signed in. Absent: as before; null: nobody's. */
  readonly userId?: string | null | undefined;
  /** The version it must have; absent: any. */
  readonly ifVersion?: number | undefined;
}

export type SessionKeeper = ReturnType<typeof createSessionKeeper>;

export function createSessionKeeper(deps: {
  readonly gate: Pick<Gate, 'run'>;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly values: SessionValues;
  readonly room: Pick<SessionRoom, 'make'>;
  /** Of the deployment: ids are made with it from a caller's name for an operation. */
  readonly secret: string;
  /** Unix ms; only in ids. */
  readonly now: () => number;
}) {
  const { gate, keys, config, values, room, secret, now } = deps;

  return {
    /**
     * Has the session live its idle time from now on. One round trip.
     * @param ttlMs another idle time from now on; absent: as before. @returns null when there is no such session.
     * @throws {InvalidRequestError} longer than the tenant's sessions may live.
     */
    async touch(
      caller: Caller,
      id: string,
      { ttlMs }: { readonly ttlMs?: number | undefined } = {},
    ): Promise<(SessionChange & { readonly lastAccessedAtMs: number }) | null> {
      const parts = sessionParts(id);
      const { found } = await gate.run(caller, {
        script: touchSession,
        scope: 'sessions:write',
        kind: 'write',
        resource: sessionResource(parts.ulid),
        keys: ({ generation }) => {
          const { session, index } = sessionKeys(keys, caller.tenantId, generation, parts.ulid);
          return { session, index };
        },
        args: (context) => {
          const settings = sessionSettings(context, config);
          return { secret: parts.secret, idleMs: ttlMs === undefined ? '' : lifetimesOf({ ttlMs }, settings).idleMs };
        },
        declined: ([outcome]) => outcome === NONE,
      });
      const [outcome, header] = found;
      requireReadable(outcome);
      if (outcome === NONE) return null;
      const { version, expiresAtMs, accessedAtMs } = parseSessionHead(header as string);
      return { version, expiresAtMs, lastAccessedAtMs: accessedAtMs };
    },

    /**
     * Gives the session a new id; the old one is dead at once, and stays so. To be done when who uses it signs in. One round trip.
     * @returns the session without its data, or null when there is none.
     * @throws {VersionConflictError} as `update`. @throws {StorageFullError} as `create`: the old id stands in a tombstone.
     */
    async rotate(
      caller: Caller,
      id: string,
      { userId, ifVersion }: Rotation = {},
      { operation }: WriteOptions = {},
    ): Promise<Omit<SessionInfo, 'tier'> | null> {
      checkUserId(userId);
      const { tenantId } = caller;
      const parts = sessionParts(id);
      // Of the id that ends, too: the same name for another session, or once more later, gives another secret.
      const name =
        operation === undefined
          ? newSessionId(now())
          : derivedSessionId(secret, tenantId, `${sessionIdOf(parts)}\0${operation}`);
      const op = operationOf(operation);
      const { found, context } = await gate.run(caller, {
        script: rotateSession,
        scope: 'sessions:write',
        kind: 'write',
        resource: sessionResource(parts.ulid),
        keys: ({ generation }) => {
          const { session, index, dead } = sessionKeys(keys, tenantId, generation, parts.ulid);
          return { session, index, dead };
        },
        args: () => ({
          secret: parts.secret,
          newSecret: sessionParts(name).secret,
          condition: ifVersion ?? '',
          op,
          changesUser: userId === undefined ? 0 : 1,
          user: escapeControls(userId ?? ''),
        }),
        full: isFull,
        makeRoom: (known, answer, round) => room.make(caller, known, answer, round),
        declined: ([outcome]) => outcome === NONE || outcome === OTHER_VERSION || isFull([outcome as RedisReply]),
      });
      if (isFull(found)) throw noRoom(found);
      const [outcome, header, meta] = found;
      requireReadable(outcome);
      if (outcome === NONE) return null;
      const head = parseSessionHead(header as string);
      if (outcome === OTHER_VERSION) throw otherVersion(head.version);
      const text = meta === '' ? '' : await values.open(tenantId, context, parts.ulid, [META_FIELD, meta as string]);
      const { data: _none, ...info } = toInfo(head, parts, { data: null, meta: text });
      return info;
    },
  };
}
