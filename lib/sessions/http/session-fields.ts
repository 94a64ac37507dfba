/** Parts of the session endpoints' contracts that several of them share. */
import * as z from 'zod';
import { Count, Instant } from '../../http/fields.ts';
import { SEALING_PROBLEMS } from '../../http/sealing-problems.ts';
import { MAX_SESSION_SECONDS } from '../../tenants/session-contract.ts';
import { isDataKey, isUserId, MAX_DATA_KEY_BYTES, MAX_DATA_KEYS, MAX_USER_ID_BYTES } from '../session-rules.ts';

export const SESSION_PATH = '/sessions/{id}';

/** Any text: what cannot be an id is answered as what is none. */
export const SessionParams = z.object({ id: z.string() });

const KEY_RULE = `must be 1 to ${MAX_DATA_KEY_BYTES} bytes without control characters, and not __proto__`;
export const DataKey = z.string().refine(isDataKey, KEY_RULE);

/** Any JSON by key. What is stored is not what this gives, but the texts as they were sent: session-request.ts. */
export const SessionData = z
  .record(z.string(), z.unknown())
  .refine((data) => Object.keys(data).length <= MAX_DATA_KEYS, {
    error: `must have at most ${MAX_DATA_KEYS} keys`,
    abort: true,
  })
  .refine((data) => Object.keys(data).every(isDataKey), `keys ${KEY_RULE}`);

export const UserId = z
  .string()
  .refine(isUserId, `must be 1 to ${MAX_USER_ID_BYTES} bytes of well-formed text without control characters`);

export const Seconds = z.int().min(1).max(MAX_SESSION_SECONDS);

/** What is told of a session beside its data. */
export const SESSION_FIELDS = {
  id: z.string().describe('Who has it has the session: keep it as you keep a password, and out of logs.'),
  user_id: z.string().nullable(),
  version: Count.describe('1, and one more by each change of its data or id.'),
  created_at: Instant,
  last_accessed_at: Instant.describe('It lags by up to a hundredth of `ttl_seconds`.'),
  expires_at: Instant.describe('Unless it is used before.'),
  absolute_expires_at: Instant.describe('However often it is used.'),
  ttl_seconds: z.number().describe('How long it lives unused.'),
  metadata: z.object({
    client_ip: z.string().optional(),
    user_agent: z.string().optional(),
    source: z.string().optional(),
    attributes: z.record(z.string(), z.string()).optional(),
  }),
};

export const SessionResponse = z.object({
  ...SESSION_FIELDS,
  data: z.record(z.string(), z.unknown()).describe('Each value exactly as it was sent, to the digit.'),
});
export type SessionResponse = z.output<typeof SessionResponse>;

export const SessionChangeResponse = z.object({
  version: Count,
  expires_at: Instant.describe('Unless it is used before.'),
});
export type SessionChangeResponse = z.output<typeof SessionChangeResponse>;

export const ETAG_HEADER = { etag: 'The version, in quotes.' };

/** Where the data of a session may be in S3. */
export const COLD_PROBLEMS = [
  'session_lost',
  'session_corrupt',
  'blob_store_unavailable',
  ...SEALING_PROBLEMS,
] as const;
/** Of what may make a session larger. */
export const ROOM_PROBLEMS = ['memory_full', 'storage_full', 'session_memory_full', 'store_full'] as const;
