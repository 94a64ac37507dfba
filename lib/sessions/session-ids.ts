/** Ids of sessions: read, and made from something that is known. */
import { createHmac } from 'node:crypto';
import { parseSessionId, type SessionIdParts, type TenantId, ULID } from '../ids.ts';

/** Stands for an id that cannot be one: it is asked for as any other is, so that nothing tells them apart. */
const NOBODY: SessionIdParts = { ulid: '0'.repeat(26), secret: '0'.repeat(26) };

/** The parts of an id; of a malformed one, those of no session. */
export const sessionParts = (id: string): SessionIdParts => parseSessionId(id) ?? NOBODY;

/** The id again. */
export const sessionIdOf = ({ ulid, secret }: SessionIdParts): string => `session-${ulid}-${secret}`;

/** What may be told of a session: logs and policies name it so. */
export const publicSessionId = (ulid: string): string => `session-${ulid}`;

/** As policies name it. */
export const sessionResource = (ulid: string): string => `sessions/${publicSessionId(ulid)}`;

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/** The id that belongs to a name of an owner (a tenant, an adapter): the same each time, and not to be guessed without the key. */
export function derivedSessionId(key: string, owner: string, name: string): string {
  const digest = createHmac('sha512', key).update(`session\0${owner}\0${name}`).digest();
  const letters = [...digest.subarray(0, 52)].map((byte) => CROCKFORD[byte & 31] as string);
  // A ULID begins with at most 7.
  letters[0] = CROCKFORD[(digest[0] as number) & 7] as string;
  return sessionIdOf({ ulid: letters.slice(0, 26).join(''), secret: letters.slice(26).join('') });
}

const OF_TIME = new RegExp(`^${ULID}$`);
/** Of a ULID: its time. */
const TIME_LETTERS = 10;

/** As {@link derivedSessionId}; when the name is a ULID, with its time, so that sessions sort by when they were made. */
export function operationSessionId(key: string, tenantId: TenantId, operation: string): string {
  const { ulid, secret } = sessionParts(derivedSessionId(key, tenantId, operation));
  if (!OF_TIME.test(operation)) return sessionIdOf({ ulid, secret });
  return sessionIdOf({ ulid: operation.slice(0, TIME_LETTERS) + ulid.slice(TIME_LETTERS), secret });
}
