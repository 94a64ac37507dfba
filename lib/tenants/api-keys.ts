/** API keys of tenants: shown once, stored as SHA-256, revoked from the next request on. */
import { randomBytes } from 'node:crypto';
import { KeyLimitError, NotFoundError } from '../errors.ts';
import { hashApiKey } from '../gate/caller.ts';
import { packKey } from '../gate/gate-fields.ts';
import { newKeyId, newUlid, type TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { createApiKey, revokeApiKey } from '../redis/scripts.ts';
import type { CreateKeyRequest, KeyResponse } from './key-contract.ts';

export type ApiKeys = ReturnType<typeof createApiKeys>;

/** The gate hash stays small: design.md, Redis keys. */
export const MAX_KEYS_PER_TENANT = 1_000;

export function createApiKeys(deps: { readonly redis: RedisDriver; readonly keys: Keys; readonly now: () => number }) {
  const { redis, keys, now } = deps;
  return {
    /**
     * Makes a key; one round trip.
     * @param options.ulid identity of this call; the same again replaces the secret, whose first answer never arrived.
     * @throws {NotFoundError} `tenant_not_found`; `key_not_found`: the key of this `ulid` was revoked meanwhile.
     * @throws {KeyLimitError} the tenant has 1,000 keys.
     */
    async create(
      tenantId: TenantId,
      request: CreateKeyRequest,
      options: { readonly ulid?: string; readonly signal?: AbortSignal | undefined } = {},
    ): Promise<KeyResponse> {
      const id = newKeyId(options.ulid ?? newUlid(now()));
      const key = `rt_${tenantId}_${id}_${base62(43)}`;
      const { scopes, expires_at } = request;
      const expiresAtMs = expires_at === null ? null : Date.parse(expires_at);
      const record = {
        id,
        scopes,
        expires_at,
        ...(request.name === undefined ? {} : { name: request.name }),
        created_at: new Date(now()).toISOString(),
      };
      const outcome = await runScript(redis, createApiKey, {
        keys: { record: keys.record(tenantId), gate: keys.gate(tenantId), apiKeys: keys.apiKeys(tenantId) },
        args: {
          id,
          keyHash: hashApiKey(key),
          field: packKey({ id, expiresAtMs, scopes }),
          json: JSON.stringify(record),
          maxKeys: MAX_KEYS_PER_TENANT,
        },
        kind: 'write',
        signal: options.signal,
      });
      if (outcome === 'no_tenant') throw new NotFoundError('tenant_not_found', 'No such tenant');
      if (outcome === 'too_many')
        throw new KeyLimitError('This tenant has as many API keys as it may', {
          details: { limit: MAX_KEYS_PER_TENANT },
        });
      if (outcome === 'revoked')
        throw new NotFoundError('key_not_found', 'The key this call made was revoked; create another one');
      return { id, key, scopes: [...scopes], expires_at };
    },

    /** Refused from the next request on; also when it was revoked before. @throws {NotFoundError} `key_not_found`. */
    async revoke(tenantId: TenantId, keyId: string): Promise<void> {
      const found = await runScript(redis, revokeApiKey, {
        keys: { gate: keys.gate(tenantId), apiKeys: keys.apiKeys(tenantId) },
        args: { id: keyId },
        kind: 'write',
      });
      if (!found) throw new NotFoundError('key_not_found', 'No such API key');
    },
  };
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random text without bias: bytes that would favour some letters are drawn again. 43 letters hold 256 bits. */
function base62(length: number): string {
  let letters = '';
  while (letters.length < length) {
    for (const byte of randomBytes(length)) if (byte < 248 && letters.length < length) letters += BASE62[byte % 62];
  }
  return letters;
}
