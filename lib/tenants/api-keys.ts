/** API keys of tenants: shown once, stored as SHA-256, revoked from the next request on. */
import { type AuditAction, type AuditDetails, newAuditEntry, packEntry } from '../audit/entry.ts';
import { type AppError, KeyLimitError, KeyStateError, NotFoundError, RedisUnavailableError } from '../errors.ts';
import { hashApiKey } from '../gate/caller.ts';
import { packKey, packOwnLimit } from '../gate/gate-fields.ts';
import { newKeyId, newUlid, type TenantId } from '../ids.ts';
import { isoOf } from '../iso-time.ts';
import type { Keys } from '../keys.ts';
import { createApiKey, revokeApiKey } from '../redis/bindings/tenant-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import { runScript } from '../redis/script.ts';
import { type AdminCall, originOf } from './admin-call.ts';
import { type KeyRecord, unpackStoredKey } from './api-key-format.ts';
import { newSecret } from './api-key-secret.ts';
import type { CreateKeyRequest, KeyResponse, RotateKeyRequest } from './key-contract.ts';
import { notLive } from './lifecycle.ts';
import type { TenantPolicies } from './policies.ts';
import type { Publisher } from './publisher.ts';
import type { RevocationLog } from './revocation-log.ts';
import type { TenantReader } from './tenant-reader.ts';

export type ApiKeys = ReturnType<typeof createApiKeys>;

/** The gate hash stays small: design.md, Redis keys. */
export const MAX_KEYS_PER_TENANT = 1_000;

/** The key a new one takes the place of. */
interface Rotated {
  readonly id: string;
  /** As it was read: another state refuses. */
  readonly stored: string;
  readonly overlapMs: number;
}

/** Each failed try means that somebody else's change was made. */
const MAX_TRIES = 5;

export function createApiKeys(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly reader: TenantReader;
  readonly publisher: Publisher;
  readonly policies: Pick<TenantPolicies, 'follow'>;
  readonly revocations: RevocationLog;
  readonly now: () => number;
}) {
  const { redis, keys, reader, publisher, policies, revocations, now } = deps;

  const entryOf = (tenantId: TenantId, action: AuditAction, details: AuditDetails, call: AdminCall) =>
    packEntry(
      newAuditEntry({
        ...(call.ulid === undefined ? {} : { id: call.ulid }),
        action,
        tenantId,
        ...originOf(call),
        details,
        now: now(),
      }),
    );

  /** Writes the key with a secret of its own; null: the key to rotate changed meanwhile. */
  const add = async (tenantId: TenantId, record: KeyRecord, rotated: Rotated | null, call: AdminCall) => {
    const { id, scopes, expires_at, rate_limit } = record;
    const key = `rt_${tenantId}_${id}_${newSecret()}`;
    const expiresAtMs = expires_at === null ? null : Date.parse(expires_at);
    const action = rotated === null ? 'key.create' : 'key.rotate';
    const outcome = await runScript(redis, createApiKey, {
      keys: { record: keys.record(tenantId), gate: keys.gate(tenantId), apiKeys: keys.apiKeys(tenantId) },
      args: {
        id,
        keyHash: hashApiKey(key),
        field: packKey({ id, expiresAtMs, scopes }),
        json: JSON.stringify(record),
        maxKeys: MAX_KEYS_PER_TENANT,
        fence: call.fence ?? 0,
        limit: rate_limit === undefined ? '' : packOwnLimit(rate_limit),
        entry: entryOf(tenantId, action, detailsOf(record, rotated), call),
        rotates: rotated?.id ?? '',
        rotated: rotated?.stored ?? '',
        overlapMs: rotated?.overlapMs ?? 0,
      },
      kind: 'write',
      signal: call.signal,
    });
    if (outcome.state === 'changed') return null;
    if (outcome.state === 'no_tenant') throw await reader.whyAbsent(tenantId, call.signal);
    if (outcome.state === 'deleted') throw notLive((await reader.record(tenantId, call.signal)).tenant, now());
    if (outcome.state !== 'added') throw refused(outcome.state);
    await publisher.publish(tenantId, { stored: null, outbox: outcome.outbox, signal: call.signal });
    return { id, key, scopes: [...scopes], expires_at } satisfies KeyResponse;
  };

  /** A key as it is stored, and whether a policy may name it. One round trip. @throws {NotFoundError} */
  const readKey = async (tenantId: TenantId, keyId: string, signal: AbortSignal | undefined) => {
    const commands = [
      ['HGET', keys.apiKeys(tenantId), keyId],
      ['HGET', keys.gate(tenantId), 'x'],
    ] as const;
    const [stored, context] = await readTogether(redis, commands, { signal });
    if (typeof stored !== 'string') throw await notFound(tenantId, signal);
    return { stored, isNamed: typeof context === 'string' && context.includes(`"${keyId}"`) };
  };

  return {
    /**
     * Makes a key; three round trips.
     * @param call.ulid identity of this call; the same again replaces the secret, whose first answer never arrived.
     * @throws {NotFoundError} `tenant_not_found`; `key_not_found`: the key of this `ulid` was revoked meanwhile.
     * @throws {KeyLimitError} the tenant has 1,000 keys. @throws {TenantStateError} `deletion_pending`.
     * @throws {KeyStateError} `key_already_made`: a call that took this one over has made it, and its secret holds.
     */
    async create(tenantId: TenantId, request: CreateKeyRequest, call: AdminCall = {}): Promise<KeyResponse> {
      const { scopes, expires_at, name, rate_limit } = request;
      const record = {
        id: newKeyId(call.ulid ?? newUlid(now())),
        scopes,
        expires_at: written(expires_at),
        ...(name === undefined ? {} : { name }),
        ...(rate_limit === undefined ? {} : { rate_limit }),
        created_at: new Date(now()).toISOString(),
      };
      return (await add(tenantId, record, null, call)) as KeyResponse;
    },

    /**
     * Makes a key with the same name, scopes and limit; the old one works on for the overlap, and no longer than it would
     * have. One script does both; four round trips.
     * @throws as create. @throws {NotFoundError} `key_not_found`. @throws {KeyStateError} `key_not_active`.
     */
    async rotate(
      tenantId: TenantId,
      keyId: string,
      request: RotateKeyRequest,
      options: AdminCall = {},
    ): Promise<KeyResponse> {
      const call = { ...options, ulid: options.ulid ?? newUlid(now()) };
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const { stored, isNamed } = await readKey(tenantId, keyId, call.signal);
        const { record: old } = unpackStoredKey(stored);
        const record = {
          ...old,
          id: newKeyId(call.ulid),
          expires_at: request.expires_at === undefined ? old.expires_at : written(request.expires_at),
          created_at: new Date(now()).toISOString(),
        };
        // Before the key is there: it never works without what denies it.
        if (isNamed) await policies.follow(tenantId, { from: keyId, to: record.id }, call);
        const rotated = { id: keyId, stored, overlapMs: request.overlap_seconds * 1_000 };
        const made = await add(tenantId, record, rotated, call);
        if (made !== null) return made;
      }
      throw new RedisUnavailableError('This key is changed again and again', { retryAfterMs: 1_000 });
    },

    /**
     * Refused from the next request on; kept in S3 before it answers; also when it was revoked before.
     * @throws {NotFoundError} `key_not_found`. @throws {OutcomeUnknownError} to be sent again: it is refused already.
     */
    async revoke(tenantId: TenantId, keyId: string, call: AdminCall = {}): Promise<void> {
      const found = await runScript(redis, revokeApiKey, {
        keys: { gate: keys.gate(tenantId), apiKeys: keys.apiKeys(tenantId) },
        args: { id: keyId, entry: entryOf(tenantId, 'key.revoke', { key_id: keyId }, call) },
        kind: 'write',
        signal: call.signal,
      });
      if (found === null) throw await notFound(tenantId, call.signal);
      await revocations.append(tenantId, keyId, call.signal);
      if (found.outbox !== '') {
        await publisher.publish(tenantId, { stored: null, outbox: found.outbox, signal: call.signal });
      }
    },
  };

  async function notFound(tenantId: TenantId, signal: AbortSignal | undefined): Promise<AppError> {
    const there = (await redis.send(['EXISTS', keys.record(tenantId)], { kind: 'read', signal })) === 1;
    return there ? new NotFoundError('key_not_found', 'No such API key') : reader.whyAbsent(tenantId, signal);
  }
}

/** A key's name is its owner's; it is not logged. */
/** As the list of keys tells it, however many digits it was given with. */
const written = (at: string | null) => (at === null ? null : isoOf(Date.parse(at)));

const detailsOf = ({ id, scopes, expires_at, rate_limit }: KeyRecord, rotated: Rotated | null): AuditDetails => ({
  key_id: id,
  scopes,
  expires_at,
  ...(rate_limit === undefined ? {} : { operations_per_minute: rate_limit.operations_per_minute }),
  ...(rotated === null ? {} : { rotates: rotated.id, overlap_ms: rotated.overlapMs }),
});

function refused(state: 'too_many' | 'revoked' | 'taken_over' | 'no_rotated' | 'not_active'): AppError {
  switch (state) {
    case 'too_many':
      return new KeyLimitError('This tenant has as many API keys as it may', {
        details: { limit: MAX_KEYS_PER_TENANT },
      });
    case 'revoked':
      return new NotFoundError('key_not_found', 'The key this call made was revoked; create another one');
    case 'taken_over':
      return new KeyStateError(
        'key_already_made',
        'A repeated call has made this key, and its answer holds the secret',
      );
    case 'no_rotated':
      return new NotFoundError('key_not_found', 'No such API key');
    case 'not_active':
      return new KeyStateError('key_not_active', 'This key is revoked or has expired; create another one');
  }
}
