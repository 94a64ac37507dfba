/** Reads all that a decision about a tenant may need: record, limits, counters, context. One round trip. */
import { NotFoundError, TenantErasedError } from '../errors.ts';
import { type ContextData, unpackContextData } from '../gate/context-format.ts';
import { type Counters, unpackCounters } from '../gate/counters.ts';
import { type Limits, unpackLimits } from '../gate/gate-fields.ts';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import { pairsOf } from '../redis/reply-shape.ts';
import { type StoredTenant, unpackRecord } from './record-format.ts';

export interface CurrentTenant {
  readonly stored: StoredTenant;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly context: ContextData;
  /** Audit entries not yet published, one a line. */
  readonly outbox: string;
  /** Quota requests: id -> JSON. */
  readonly requests: ReadonlyMap<string, string>;
  readonly apiKeys: number;
}

export type TenantReader = ReturnType<typeof createTenantReader>;

export function createTenantReader({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const whyAbsent = async (id: TenantId, signal?: AbortSignal) =>
    absent((await redis.send(['EXISTS', keys.erased(id)], { kind: 'read', signal })) === 1);

  return {
    /**
     * @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError} it was erased.
     * @throws {RangeError} what is stored is damaged.
     */
    async read(id: TenantId, signal?: AbortSignal): Promise<CurrentTenant> {
      const commands = [
        ['GET', keys.record(id)],
        ['HMGET', keys.gate(id), 'h', 'm', 'x', 'o'],
        ['HGETALL', keys.quotaRequests(id)],
        ['HLEN', keys.apiKeys(id)],
        ['EXISTS', keys.erased(id)],
      ] as const;
      const replies = await readTogether(redis, commands, { signal, name: 'read-tenant' });
      const [record, fields, requests, apiKeys, erased] = replies;
      if (typeof record !== 'string') throw absent(erased === 1);
      const [h, m, x, o] = fields as readonly (string | null)[];
      return {
        stored: unpackRecord(record),
        limits: unpackLimits(h ?? ''),
        counters: unpackCounters(m ?? ''),
        context: unpackContextData(x ?? ''),
        outbox: o ?? '',
        requests: new Map(pairsOf(requests as readonly string[])),
        apiKeys: apiKeys as number,
      };
    },

    /** The record alone; one round trip. @throws as read. */
    async record(id: TenantId, signal?: AbortSignal): Promise<StoredTenant> {
      const record = await redis.send(['GET', keys.record(id)], { kind: 'read', signal });
      if (typeof record === 'string') return unpackRecord(record);
      throw await whyAbsent(id, signal);
    },

    /** The error that says why a tenant has no record; one round trip. */
    whyAbsent,
  };
}

/** The error that says why a tenant without a record has none. */
export const absent = (erased: boolean): NotFoundError | TenantErasedError =>
  erased
    ? new TenantErasedError('This tenant was erased; nothing of it is left')
    : new NotFoundError('tenant_not_found', 'No such tenant');
