/** Ids: `<kind>-<lower-case ULID>`; a session’s has its secret behind. They sort by creation time and hold no `_`, `:`, `{` or `*`. */

declare const tenantIdBrand: unique symbol;
/** A tenant id that was checked; only {@link parseTenantId} and {@link newTenantId} make one. */
export type TenantId = string & { readonly [tenantIdBrand]: true };

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
/** A ULID, in a regular expression. */
export const ULID = '[0-7][0-9a-hjkmnp-tv-z]{25}';
export const TENANT_ID = new RegExp(`^tenant-${ULID}$`);
export const KEY_ID = new RegExp(`^key-${ULID}$`);
export const HOLD_ID = new RegExp(`^hold-${ULID}$`);
export const JOB_ID = new RegExp(`^job-${ULID}$`);
export const CHECKPOINT_ID = new RegExp(`^ckpt-${ULID}$`);
export const QUOTA_REQUEST_ID = new RegExp(`^qreq-${ULID}$`);
/** Whole, with its secret: who has it has the session. Never in logs, errors or names of objects; the ULID may be. */
export const SESSION_ID = new RegExp(`^session-(${ULID})-([0-9a-hjkmnp-tv-z]{26})$`);

/** A lower-case ULID: 48 bits of Unix ms, 80 random bits. */
export function newUlid(nowMs: number): string {
  return encode(BigInt(Math.trunc(nowMs)), 10) + encode(randomBits(10), 16);
}

/** The same for all that ask in one slot of time, which begins then, Unix ms. */
export const slotUlid = (slotMs: number): string => encode(BigInt(slotMs), 10) + '0'.repeat(16);

/** When a ULID was made, Unix ms. @throws {RangeError} it is none. */
export function ulidTimeMs(ulid: string): number {
  const letters = [...ulid.slice(0, 10)].map((letter) => CROCKFORD.indexOf(letter));
  if (letters.length < 10 || letters.includes(-1)) throw new RangeError('Not a ULID');
  return letters.reduce((ms, five) => ms * 32 + five, 0);
}

export const newTenantId = (ulid: string): TenantId => `tenant-${ulid}` as TenantId;
export const newKeyId = (ulid: string): string => `key-${ulid}`;
export const newJobId = (ulid: string): string => `job-${ulid}`;
/** Of the ULID of the job that makes it. */
export const newCheckpointId = (ulid: string): string => `ckpt-${ulid}`;
export const newHoldId = (ulid: string): string => `hold-${ulid}`;
export const newQuotaRequestId = (ulid: string): string => `qreq-${ulid}`;

/** A session’s id of that time, Unix ms: a ULID, and a secret of 130 random bits. */
export const newSessionId = (nowMs: number): string => `session-${newUlid(nowMs)}-${encode(randomBits(17), 26)}`;

export interface SessionIdParts {
  /** Names the record, in the open. */
  readonly ulid: string;
  /** To be compared with what the record holds. */
  readonly secret: string;
}

/** The parts of a session’s id; null when it cannot be one. */
export function parseSessionId(text: string): SessionIdParts | null {
  const [, ulid, secret] = SESSION_ID.exec(text) ?? [];
  return ulid === undefined || secret === undefined ? null : { ulid, secret };
}

// Web Crypto, because contracts import this file, and the client imports them where there is no Node.
const randomBits = (bytes: number) =>
  crypto.getRandomValues(new Uint8Array(bytes)).reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);

/** The id, checked; null when it cannot be one. */
export const parseTenantId = (text: string): TenantId | null => (TENANT_ID.test(text) ? (text as TenantId) : null);

function encode(value: bigint, length: number): string {
  let text = '';
  for (let rest = value, i = 0; i < length; i++, rest >>= 5n) text = CROCKFORD[Number(rest & 31n)] + text;
  return text;
}
