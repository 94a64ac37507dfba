/** A tenant's context, field `x` of its gate: what an instance keeps of the tenant between requests. JSON. */
import type { CacheChoices } from './cache-choices.ts';
import type { PolicySet } from './policies.ts';
import type { SessionChoices } from './session-choices.ts';

/** A data key of the tenant. Its bytes, wrapped, are in S3 only (lib/crypto/tenant-keys.ts): a copy of Redis opens nothing. */
export interface KeyRef {
  /** 1 for the first; values name the version they are encrypted under. */
  readonly version: number;
  /** The master key it is wrapped under, as its provider names it. */
  readonly key_id: string;
}

export interface ContextData {
  readonly keys: readonly KeyRef[];
  /** Version of the key that new values are encrypted under; 0: they are not encrypted. */
  readonly data_key: number;
  /** Null: the scopes of the keys alone decide. */
  readonly policies: PolicySet | null;
  /** Empty: the cache is as the deployment is set. */
  readonly cache: CacheChoices;
  /** Empty: sessions are as the deployment is set. */
  readonly sessions: SessionChoices;
}

/** A new version reaches an instance with its next request for the tenant. */
export interface TenantContext extends ContextData {
  readonly version: string;
  readonly generation: number;
}

/** Of a new tenant that is not encrypted. */
export const EMPTY_CONTEXT: ContextData = { keys: [], data_key: 0, policies: null, cache: {}, sessions: {} };

/** As it is stored in field `x`. */
export const packContext = (data: ContextData = EMPTY_CONTEXT): string => JSON.stringify(data);

/**
 * Also of older formats: the first held the generation only, the second nothing of the cache, the third nothing of sessions.
 * @throws {SyntaxError | RangeError} not written here.
 */
export function unpackContextData(json: string): ContextData {
  const read = JSON.parse(json) as Partial<ContextData>;
  const { keys = [], data_key = 0, policies = null, cache = {}, sessions = {} } = read;
  if (!Array.isArray(keys) || !Number.isSafeInteger(data_key) || !isObject(cache) || !isObject(sessions))
    throw new RangeError('Not a tenant context');
  return { keys, data_key, policies, cache, sessions };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null;

/** As the gate tells it. */
export function unpackContext(version: string, generation: string, json: string): TenantContext {
  if (!/^\d+$/.test(generation)) throw new RangeError('Not a tenant context');
  return { ...unpackContextData(json), version, generation: Number(generation) };
}
