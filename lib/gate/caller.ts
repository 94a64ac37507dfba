/** Who calls: read from the API key's text alone, so that no lookup precedes the data call. */
import { createHash } from 'node:crypto';
import { UnauthorizedError } from '../errors.ts';
import { KEY_ID, parseTenantId, type TenantId } from '../ids.ts';
import type { Admission } from './admission.ts';

export interface Caller {
  readonly tenantId: TenantId;
  /** Of the API key, as it stands in its text; the gate tells whether the key is genuine. */
  readonly keyId: string;
  /** SHA-256 of the whole key, hex: what is stored and compared. */
  readonly keyHash: string;
  /** Name of the route called, for limits of its own; absent: none. */
  readonly route?: string | undefined;
  /** The request's deadline. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each passage through the gate: the limits to report. */
  readonly onAdmitted?: ((admission: Admission) => void) | undefined;
  /** Told when an answer stands on an earlier passage instead: the gate vouches for it, and nothing is metered. */
  readonly onVouched?: (() => void) | undefined;
}

const SECRET = /^[0-9A-Za-z]{43}$/;

/**
 * `rt_<tenant id>_<key id>_<43 base62>`, split.
 * @throws {UnauthorizedError} `key_unknown`: it cannot be a key of this service.
 */
export function parseApiKey(text: string): Pick<Caller, 'tenantId' | 'keyId' | 'keyHash'> {
  const [prefix, tenant, key, secret, ...rest] = text.split('_');
  const tenantId = parseTenantId(tenant ?? '');
  if (
    prefix !== 'rt' ||
    tenantId === null ||
    !KEY_ID.test(key ?? '') ||
    !SECRET.test(secret ?? '') ||
    rest.length > 0
  ) {
    throw new UnauthorizedError('key_unknown');
  }
  return { tenantId, keyId: key as string, keyHash: hashApiKey(text) };
}

const hashes = new Map<string, string>();
const MAX_HASHES = 20_000;

/** SHA-256 of an API key, hex. The last 20,000 are kept for the instance's life, some 4 MB: a warm one does not hash again. */
export function hashApiKey(text: string): string {
  const known = hashes.get(text);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(text).digest('hex');
  if (hashes.size >= MAX_HASHES) hashes.delete(hashes.keys().next().value as string);
  hashes.set(text, hash);
  return hash;
}
