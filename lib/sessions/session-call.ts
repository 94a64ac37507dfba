/** What all calls of session scripts have in common. */
import { createHash, randomUUID } from 'node:crypto';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { OPERATION_CHARACTERS } from './session-format.ts';

/** Keys of a session's scripts, once the tenant's generation is known. */
export const sessionKeys = (keys: Keys, id: TenantId, generation: number, ulid: string) => ({
  session: keys.session(id, generation, ulid),
  claim: keys.sessionClaim(id, generation, ulid),
  index: keys.index(id, generation),
  dead: keys.deadSessions(id),
  lately: keys.sessionsLately(id, generation),
});

/** 40 random bits, hex: told apart from the last of one session. Of a UUID: bytes for many are asked for at once. */
export const newOperation = (): string => randomUUID().replace('-', '').slice(0, OPERATION_CHARACTERS);

/** As scripts take a caller's name for an operation; absent: a new one. */
export const operationOf = (given: string | undefined): string =>
  given === undefined
    ? newOperation()
    : createHash('sha256').update(given).digest('hex').slice(0, OPERATION_CHARACTERS);
