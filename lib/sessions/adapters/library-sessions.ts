/** Sessions of one tenant for the adapters, by the library itself: where the service runs in the same process. */
import { SessionIdError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { Sessions } from '../sessions.ts';
import type { SessionPort } from './session-port.ts';

/** @example createLibrarySessions({ sessions: app.sessions, caller: parseApiKey(key) }) */
export function createLibrarySessions({
  sessions,
  caller,
}: {
  readonly sessions: Sessions;
  readonly caller: Caller;
}): SessionPort {
  return {
    get: (id, how) => sessions.get(caller, id, how),
    async create(session) {
      try {
        return (await sessions.create(caller, session)).id;
      } catch (error) {
        if (error instanceof SessionIdError && error.code === 'session_exists') return null;
        throw error;
      }
    },
    update: async (id, changes) => (await sessions.update(caller, id, changes)) !== null,
    replace: async (id, data) => (await sessions.update(caller, id, { set: data, replace: true })) !== null,
    touch: async (id, ttlMs) => (await sessions.touch(caller, id, { ttlMs })) !== null,
    rotate: async (id, userId) => (await sessions.rotate(caller, id, { userId }))?.id ?? null,
    async terminate(id) {
      await sessions.terminate(caller, id);
    },
  };
}
