/** Changes the data of sessions, through the gate. */
import type { Config } from '../config/config.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import type { Keys } from '../keys.ts';
import { updateSession } from '../redis/bindings/session-write-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import type { DataChange, SessionChange } from './session.ts';
import { operationOf, sessionKeys } from './session-call.ts';
import { DATA_PREFIX } from './session-format.ts';
import { sessionParts, sessionResource } from './session-ids.ts';
import {
  COLD,
  isFull,
  movedAgain,
  NONE,
  noRoom,
  OTHER_VERSION,
  otherVersion,
  requireReadable,
  TOO_LARGE,
} from './session-outcomes.ts';
import { checkChange, MAX_DATA_KEYS, tooLarge } from './session-rules.ts';
import { dataFields, type SessionValues } from './session-values.ts';
import type { Restorer } from './spillover/restorer.ts';
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
  readonly config: Pick<Config, 'sessions'>;
  readonly values: SessionValues;
  readonly restorer: Pick<Restorer, 'bringBack'>;
  readonly room: Pick<SessionRoom, 'make' | 'noteWrite'>;
}) {
  const { gate, keys, config, values, restorer, room } = deps;

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
          ...(await values.seal(caller.tenantId, context, parts.ulid, dataFields(set))),
          ...(replace ? [] : remove.map((key) => DATA_PREFIX + key)),
        ],
      }),
      full: isFull,
      makeRoom: (context, answer, round) => room.make(caller, context, answer, round),
      declined: ([outcome]) =>
        outcome === NONE || outcome === OTHER_VERSION || outcome === COLD || isFull([outcome as RedisReply]),
    });
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
     * Changes data; keys that are not named stay as they are, whoever writes them meanwhile. One round trip; of a session in S3
     * its data comes back first. @returns null when there is no such session.
     * @throws {VersionConflictError} it has another version than `ifVersion`. @throws as `create` of session-creator.ts.
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
        await restorer.bringBack({ caller, place, context, ulid, stub: found[1] as string });
      }
      throw movedAgain();
    },
  };
}
