/** Sessions of one tenant for the adapters, over HTTPS: all a server of your own needs is the service's URL and a key. */
import type { Failure } from '../../client/call.ts';
import { CallFailedError } from '../../client/call-failed-error.ts';
import type { Client } from '../../client/client.ts';
import type { KeyChanges, SessionPort } from './session-port.ts';

type SessionClient = Pick<
  Client,
  'getSession' | 'createSession' | 'updateSessionData' | 'touchSession' | 'rotateSession' | 'deleteSession'
>;

/**
 * Needs the scopes `sessions:read` and `sessions:write`. Each call is one request, but `replace`, which is two. Numbers beyond what
 * JavaScript holds exactly are not: what is not changed stays as it is stored.
 * @example createClientSessions(createClient({ baseUrl: 'https://api.example.com', key }))
 */
export function createClientSessions(client: SessionClient): SessionPort {
  const get: SessionPort['get'] = async (id, { touch }) => {
    const reply = await client.getSession({ params: { id }, query: touch ? {} : { touch: 'false' } });
    if (!reply.ok) return noneOr(reply, null);
    if (reply.status !== 200) throw new TypeError('A read without a condition was answered by 304');
    const { expires_at, ttl_seconds, data } = reply.data;
    const texts = new Map(Object.entries(data).map(([key, value]) => [key, JSON.stringify(value)] as const));
    return { id, expiresAtMs: Date.parse(expires_at), ttlMs: ttl_seconds * 1_000, data: texts };
  };

  const update = async (id: string, { set, remove }: KeyChanges) => {
    const reply = await client.updateSessionData({ params: { id }, body: { set: valuesOf(set), remove: [...remove] } });
    return reply.ok || noneOr(reply, false);
  };

  return {
    get,
    async create({ id, userId, ttlMs, data }) {
      const reply = await client.createSession({
        body: { id, user_id: userId, ttl_seconds: secondsOf(ttlMs), data: valuesOf(data) },
      });
      if (reply.ok) return reply.data.id;
      if (reply.problem.code === 'session_exists') return null;
      throw new CallFailedError(reply);
    },
    update,
    async replace(id, data) {
      const held = await get(id, { touch: false });
      if (held === null) return false;
      const remove = [...held.data.keys()].filter((key) => !data.has(key));
      return data.size + remove.length === 0 || update(id, { set: data, remove });
    },
    async touch(id, ttlMs) {
      const reply = await client.touchSession({ params: { id }, body: { ttl_seconds: secondsOf(ttlMs) } });
      return reply.ok || noneOr(reply, false);
    },
    async rotate(id, userId) {
      const reply = await client.rotateSession({ params: { id }, body: { user_id: userId } });
      return reply.ok ? reply.data.id : noneOr(reply, null);
    },
    async terminate(id) {
      const reply = await client.deleteSession({ params: { id } });
      if (!reply.ok) noneOr(reply, null);
    },
  };
}

/** @throws {CallFailedError} it is another failure than that there is none. */
function noneOr<T>(failure: Failure, none: T): T {
  if (failure.problem.code === 'session_not_found') return none;
  throw new CallFailedError(failure);
}

const valuesOf = (texts: ReadonlyMap<string, string>): Record<string, unknown> =>
  Object.fromEntries(Array.from(texts, ([key, text]) => [key, JSON.parse(text)] as const));

const secondsOf = (ms: number | undefined) => (ms === undefined ? undefined : Math.ceil(ms / 1_000));
