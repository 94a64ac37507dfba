/**
 * What administration knows of a tenant, as a checkpoint keeps it: only for a Redis that has lost the tenant. Its record, its gate
 * without what is of the moment, its API keys (hashed) and what its invoices are made of.
 */
import { createHash } from 'node:crypto';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisCommand, RedisDriver, RedisReply } from '../../redis/driver.ts';
import { pairsOf } from '../../redis/reply-shape.ts';

export const STATE_FORMAT = 'cs1';

export interface TenantState {
  readonly format: typeof STATE_FORMAT;
  /** `t2,<rev>,<op>\n<JSON>` */
  readonly record: string;
  readonly gate: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, string>>;
  readonly billing: Readonly<Record<string, string>>;
  readonly requests: Readonly<Record<string, string>>;
}

/** Fields of the gate that are kept: limits, context, counters, what was committed, API keys, limits of their own, closed months. */
const KEPT_FIELDS = /^(?:h|x|m|r|k:.*|l:.*|p:\d+)$/;

export type TenantStates = ReturnType<typeof createTenantStates>;

export function createTenantStates({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  return {
    /** What tells whether it must be written anew: three commands. */
    digestCommands: (id: TenantId): readonly RedisCommand[] => [
      ['GETRANGE', keys.record(id), 0, 63],
      ['HKEYS', keys.apiKeys(id)],
      ['HKEYS', keys.billing(id)],
    ],

    /** Of the replies to `digestCommands`, and field `h`. */
    digestOf: (limits: string, [record, apiKeys, billing]: readonly (RedisReply | Error)[]): string => {
      const names = (reply: unknown) => (Array.isArray(reply) ? reply.toSorted().join() : '');
      const rev = String(record).split('\n', 1)[0];
      const text = [STATE_FORMAT, limits, rev, names(apiKeys), names(billing)].join('\n');
      return createHash('sha256').update(text).digest('base64url').slice(0, 22);
    },

    /** Null: there is no such tenant. One round trip. */
    async read(id: TenantId, signal?: AbortSignal): Promise<TenantState | null> {
      const [record, gate, apiKeys, billing, requests] = await redis.sendAll(
        [
          ['GET', keys.record(id)],
          ['HGETALL', keys.gate(id)],
          ['HGETALL', keys.apiKeys(id)],
          ['HGETALL', keys.billing(id)],
          ['HGETALL', keys.quotaRequests(id)],
        ],
        { kind: 'read', signal },
      );
      if (typeof record !== 'string') return null;
      const kept = Object.entries(fieldsOf(gate)).filter(([name]) => KEPT_FIELDS.test(name));
      return {
        format: STATE_FORMAT,
        record,
        gate: Object.fromEntries(kept),
        keys: fieldsOf(apiKeys),
        billing: fieldsOf(billing),
        requests: fieldsOf(requests),
      };
    },
  };
}

function fieldsOf(reply: RedisReply | Error | undefined): Readonly<Record<string, string>> {
  if (reply instanceof Error) throw reply;
  return Object.fromEntries(pairsOf((reply ?? []) as readonly string[]));
}
