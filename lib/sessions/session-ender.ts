/** Terminates sessions through the gate: nothing brings them back. */
import type { Caller } from '../gate/caller.ts';
import type { Gate } from '../gate/gate.ts';
import { allows } from '../gate/policies.ts';
import { escapeControls, type Keys } from '../keys.ts';
import { listSessions } from '../redis/bindings/session-read-scripts.ts';
import { terminateSessions } from '../redis/bindings/session-write-scripts.ts';
import { sessionParts, sessionResource } from './session-ids.ts';
import { requireReadable, UNREADABLE } from './session-outcomes.ts';
import { requireUserId } from './session-rules.ts';

export interface UserTermination {
  /** Sessions that are gone, or would be. */
  readonly terminated: number;
  /** Whether there may be more: to be called again. */
  readonly more: boolean;
}

/** As many as one script takes, and as one call ends. */
const BATCH = 100;
const MAX_BATCHES = 100;

export type SessionEnder = ReturnType<typeof createSessionEnder>;

export function createSessionEnder(deps: { readonly gate: Pick<Gate, 'run'>; readonly keys: Keys }) {
  const { gate, keys } = deps;

  /** A digit for each. */
  const end = async (
    caller: Caller,
    ulids: readonly string[],
    how: {
      readonly dry: boolean;
      readonly user: string;
      /** Of each; with a user of each the one that spares it, else empty. */
      readonly secrets: readonly string[];
    },
  ): Promise<string> => {
    const { tenantId } = caller;
    const { found } = await gate.run(caller, {
      script: terminateSessions,
      scope: 'sessions:write',
      kind: how.dry ? 'read' : 'write',
      allowed: (policies, who) => ulids.every((ulid) => allows(policies, { ...who, resource: sessionResource(ulid) })),
      keys: ({ generation }) => ({
        dead: keys.deadSessions(tenantId),
        index: keys.index(tenantId, generation),
        sessions: ulids.map((ulid) => keys.session(tenantId, generation, ulid)),
      }),
      args: () => ({ dry: how.dry ? 1 : 0, user: escapeControls(how.user), secrets: how.secrets }),
    });
    return String(found[0]);
  };

  /** Whether there is one, and what became of it, or would. */
  const one = async (caller: Caller, id: string, dry: boolean) => {
    const { ulid, secret } = sessionParts(id);
    const outcome = await end(caller, [ulid], { dry, user: '', secrets: [secret] });
    requireReadable(Number(outcome));
    return { found: outcome !== '0', terminated: outcome === '1' ? 1 : 0 };
  };

  return {
    /** Ends the session; also true for one that was ended so before, as long as it could have lived. False: there is none. One round trip. */
    terminate: async (caller: Caller, id: string): Promise<boolean> => (await one(caller, id, false)).found,

    /** How many `terminate` would end: none when it was ended before. Null: there is none. One round trip. */
    async previewTerminate(caller: Caller, id: string): Promise<Pick<UserTermination, 'terminated'> | null> {
      const { found, terminated } = await one(caller, id, true);
      return found ? { terminated } : null;
    },

    /**
     * Ends the sessions a user has now, but `except`, which must be its id as it is now. Two round trips for each hundred; of a
     * hundred where policies deny one, none is ended.
     * @throws {InvalidRequestError} not a user id. @throws {ForbiddenError} policies deny it.
     */
    async terminateUser(
      caller: Caller,
      userId: string,
      { except, dry = false }: { readonly except?: string | undefined; readonly dry?: boolean } = {},
    ): Promise<UserTermination> {
      requireUserId(userId);
      const { tenantId } = caller;
      const spared = except === undefined ? null : sessionParts(except);
      let terminated = 0;
      let after = '';
      for (let batch = 0; batch < MAX_BATCHES; batch++) {
        const { found } = await gate.run(caller, {
          script: listSessions,
          scope: 'sessions:write',
          kind: 'read',
          resource: 'sessions/*',
          keys: ({ generation }) => ({ index: keys.index(tenantId, generation) }),
          args: () => ({ user: escapeControls(userId), after, limit: BATCH }),
        });
        const ulids = found as readonly string[];
        if (ulids.length > 0) {
          const secrets = ulids.map((ulid) => (ulid === spared?.ulid ? spared.secret : ''));
          const done = await end(caller, ulids, { dry, user: userId, secrets });
          terminated += [...done].filter((outcome) => outcome === '1').length;
          if (done.includes(String(UNREADABLE))) requireReadable(UNREADABLE);
        }
        if (ulids.length < BATCH) return { terminated, more: false };
        after = ulids.at(-1) as string;
      }
      return { terminated, more: true };
    },
  };
}
