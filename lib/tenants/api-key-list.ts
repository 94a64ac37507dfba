/** What an administrator may know of a tenant's API keys: all but their secrets and hashes. */
import { NotFoundError } from '../errors.ts';
import { type KeyState, keyField, unpackKey } from '../gate/gate-fields.ts';
import type { TenantId } from '../ids.ts';
import { isoOrNull } from '../iso-time.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import { pairsOf } from '../redis/reply-shape.ts';
import { type StoredKey, unpackStoredKey } from './api-key-format.ts';
import type { KeyListItem, KeyListResponse } from './key-contract.ts';
import type { TenantReader } from './tenant-reader.ts';

export interface KeyQuery {
  readonly limit: number;
  /** The last key of the page before. */
  readonly cursor?: string | undefined;
}

export type ApiKeyList = ReturnType<typeof createApiKeyList>;

export function createApiKeyList(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly reader: TenantReader;
  /** Unix ms: says only whether a key is told as expired. */
  readonly now: () => number;
}) {
  const { redis, keys, reader, now } = deps;
  return {
    /** One key; two round trips. @throws {NotFoundError} `key_not_found`. @throws as TenantReader.record. */
    async get(id: TenantId, keyId: string, signal?: AbortSignal): Promise<KeyListItem> {
      const commands = [
        ['HGET', keys.apiKeys(id), keyId],
        ['EXISTS', keys.record(id)],
      ] as const;
      const [text, exists] = await readTogether(redis, commands, { signal });
      if (exists !== 1) throw await reader.whyAbsent(id, signal);
      if (typeof text !== 'string') throw new NotFoundError('key_not_found', 'No such API key');
      const key = unpackStoredKey(text);
      const [field = null] = await readFields(id, [key], signal);
      return describe(key, field, now());
    },

    /** A page of the keys, oldest first; two round trips. @throws as TenantReader.record. */
    async list(id: TenantId, query: KeyQuery, signal?: AbortSignal): Promise<KeyListResponse> {
      const commands = [
        ['HGETALL', keys.apiKeys(id)],
        ['EXISTS', keys.record(id)],
      ] as const;
      const [all, exists] = await readTogether(redis, commands, { signal });
      if (exists !== 1) throw await reader.whyAbsent(id, signal);
      const after = query.cursor ?? '';
      const stored = pairsOf(all as readonly string[])
        .filter(([keyId]) => keyId > after)
        .sort();
      const page = stored.slice(0, query.limit).map(([, text]) => unpackStoredKey(text));
      const fields = await readFields(id, page, signal);
      const items = page.map((key, i) => describe(key, fields[i] ?? null, now()));
      const next_cursor = stored.length > items.length ? (items.at(-1)?.id ?? null) : null;
      return { items, next_cursor };
    },
  };

  async function readFields(id: TenantId, page: readonly StoredKey[], signal: AbortSignal | undefined) {
    if (page.length === 0) return [];
    const names = page.map(({ hash }) => keyField(hash));
    const fields = await redis.send(['HMGET', keys.gate(id), ...names], { kind: 'read', signal });
    return (fields as readonly (string | null)[]).map((text) => (text === null ? null : unpackKey(text)));
  }
}

/** The gate's field decides; a key without one is refused, as a revoked one is. */
function describe({ record, revoked }: StoredKey, gate: KeyState | null, nowMs: number): KeyListItem {
  const { id, name, scopes, created_at, rate_limit } = record;
  const expiresAtMs = gate === null ? null : gate.expiresAtMs;
  const expired = expiresAtMs !== null && expiresAtMs <= nowMs;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    scopes: [...scopes],
    state: revoked || gate === null || gate.revoked ? 'revoked' : expired ? 'expired' : 'active',
    created_at,
    expires_at: isoOrNull(expiresAtMs),
    last_used_at: isoOrNull(gate?.lastUsedAtMs ?? null),
    ...(rate_limit === undefined ? {} : { rate_limit }),
  };
}
