/** Sessions as a tenant's server asks for them over HTTP. */
import type { Door, DoorReply } from './door.ts';

export type Headers = Readonly<Record<string, string>>;

/** Of the replies, only as far as tests look at them. */
export interface SessionBody {
  readonly id: string;
  readonly version: number;
  readonly user_id: string | null;
  readonly expires_at: string;
  readonly absolute_expires_at: string;
  readonly ttl_seconds: number;
  readonly metadata: object;
  readonly data: Readonly<Record<string, unknown>>;
}

export const jsonOf = <T = SessionBody>({ body }: DoorReply): T => JSON.parse(body.toString('utf8')) as T;

/** Not to be guessed: as another id, and yet one that could be. */
export const otherSecret = (id: string): string => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;

const TYPE = { 'content-type': 'application/json' };

/** @param bodies are JSON texts, sent as they are. */
export function sessionDoor(door: Door, key: string) {
  const send = (method: string, target: string, body?: string, headers: Headers = {}) =>
    door.call({ method, target, key, headers: { ...(body === undefined ? {} : TYPE), ...headers }, body });
  return {
    send,
    create: (body = '{}', headers?: Headers) => send('POST', '/sessions', body, headers),
    get: (id: string, headers?: Headers) => send('GET', `/sessions/${id}`, undefined, headers),
    update: (id: string, body: string, headers?: Headers) => send('PATCH', `/sessions/${id}/data`, body, headers),
    put: (id: string, name: string, body: string, headers?: Headers) =>
      send('PUT', `/sessions/${id}/data/${name}`, body, headers),
    remove: (id: string, name: string, headers?: Headers) =>
      send('DELETE', `/sessions/${id}/data/${name}`, undefined, headers),
    touch: (id: string, body = '{}') => send('POST', `/sessions/${id}/touch`, body),
    rotate: (id: string, body = '{}', headers?: Headers) => send('POST', `/sessions/${id}/rotate`, body, headers),
    end: (id: string, query = '') => send('DELETE', `/sessions/${id}${query}`),
    list: (query: string) => send('GET', `/sessions?${query}`),
    endAll: (query: string) => send('DELETE', `/sessions?${query}`),
    /** A new one. */
    async made(body?: string): Promise<SessionBody> {
      return jsonOf(await this.create(body));
    },
  };
}
