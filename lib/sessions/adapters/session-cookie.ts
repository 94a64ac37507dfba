/** The cookie a session's id travels in. Pure. */
import { parseSessionId } from '../../ids.ts';

export interface SessionCookie {
  readonly name: string;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  /** Seconds the browser keeps it; null: until it is closed. */
  readonly maxAgeSeconds: number | null;
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;

const SAME_SITE: readonly string[] = ['Lax', 'Strict', 'None'] satisfies SessionCookie['sameSite'][];

/** @throws {TypeError} cookies cannot be so. */
export function checkCookie({ name, sameSite, maxAgeSeconds }: SessionCookie): void {
  if (!NAME.test(name)) throw new TypeError("The name of a cookie is letters, digits and -_.!#$%&'*+^`|~");
  if (!SAME_SITE.includes(sameSite)) throw new TypeError('sameSite is Lax, Strict or None');
  if (maxAgeSeconds !== null && !(Number.isInteger(maxAgeSeconds) && maxAgeSeconds > 0))
    throw new TypeError('maxAgeSeconds is a whole number of seconds, or null');
}

/**
 * The id among the cookies of a request; null when there is none. What cannot be an id is passed over. Of two ids, one is somebody
 * else's doing (a host beside this one may set cookies for it, unless their name begins with `__Host-`): then there is none.
 */
export function readSessionId(cookies: readonly string[], name: string): string | null {
  const ids = new Set<string>();
  for (const pair of cookies.flatMap((line) => line.split(';'))) {
    const at = pair.indexOf('=');
    if (at === -1 || pair.slice(0, at).trim() !== name) continue;
    const value = pair.slice(at + 1).trim();
    if (parseSessionId(value) !== null) ids.add(value);
  }
  const [id = null] = ids;
  return ids.size === 1 ? id : null;
}

/** As `Set-Cookie` has it. `id` null: the browser is to forget it. */
export function writeSessionCookie(id: string | null, { name, sameSite, maxAgeSeconds }: SessionCookie): string {
  const seconds = id === null ? 0 : maxAgeSeconds;
  const age = seconds === null ? '' : `; Max-Age=${seconds}`;
  return `${name}=${id ?? ''}; Path=/${age}; HttpOnly; Secure; SameSite=${sameSite}`;
}
