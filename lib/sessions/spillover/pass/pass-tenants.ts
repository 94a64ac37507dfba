/** The tenants that have part of the memory of hot sessions, as their gates say. */
import type { Config } from '../../../config/config.ts';
import { type ContextData, unpackContextData } from '../../../gate/context-format.ts';
import { unpackCounters } from '../../../gate/counters.ts';
import { unpackLimits } from '../../../gate/gate-fields.ts';
import type { TenantId } from '../../../ids.ts';
import type { Keys } from '../../../keys.ts';
import type { Telemetry } from '../../../metrics/telemetry.ts';
import type { RedisDriver, RedisReply } from '../../../redis/driver.ts';
import { asList, asTextOrNull } from '../../../redis/reply-shape.ts';
import { sessionSettings } from '../../session-settings.ts';
import { isAhead } from '../budget/reconcile-shares.ts';
import type { HolderPage, SessionBudget } from '../budget/session-budget.ts';
import { unpackShare } from '../budget/share-format.ts';
import { type SpillMoves, unpackMoves } from './spill-counters.ts';
import type { OwnSettings } from './spill-policy.ts';

/** One of them. Bytes; as of when its gate was read, but for what the pass itself has done since. */
export interface PassTenant {
  readonly id: TenantId;
  readonly generation: number;
  /** Deleted ones are left as they are: what becomes of them is decided by erasure. */
  readonly isDeleted: boolean;
  readonly settings: OwnSettings;
  readonly sessions: number;
  readonly spilled: number;
  readonly spilledBytes: number;
  readonly moves: SpillMoves;
  readonly shareBytes: number;
  /** Of the share. */
  readonly epoch: number;
  grantedBytes: number;
  hotBytes: number;
}

/** Fields of the gate. */
export const TENANT_FIELDS = ['h', 'm', 'x', 'b', 'sp'] as const;

/** What the fields of a gate say. @throws {RangeError | SyntaxError} they cannot be read. */
export function readGate([limits, counters, context, share, moves]: readonly (string | null)[]) {
  if (limits == null || counters == null) return null;
  const { generation, status } = unpackLimits(limits);
  const { sessions, hotSessionBytes: hotBytes, spilledSessions: spilled, spilledBytes } = unpackCounters(counters);
  const data: Pick<ContextData, 'sessions'> = unpackContextData(context ?? '{}');
  return {
    ...{ generation, isDeleted: status === 'deleted', sessions, hotBytes, spilled, spilledBytes, data },
    ...unpackShare(share ?? null),
    moves: unpackMoves(moves ?? null),
  };
}

export type PassTenants = ReturnType<typeof createPassTenants>;

export function createPassTenants(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly budget: Pick<SessionBudget, 'holders' | 'reconcile'>;
  readonly telemetry: Pick<Telemetry, 'logger'>;
}) {
  const { redis, keys, config, budget, telemetry } = deps;

  const read = (
    { tenantId: id, grantedBytes }: HolderPage['holders'][number],
    fields: RedisReply | Error | undefined,
  ): PassTenant | 'gone' | 'unreadable' => {
    try {
      if (fields instanceof Error) throw new RangeError('Not a gate', { cause: fields });
      const found = readGate(asList(fields).map(asTextOrNull));
      if (found === null) return 'gone';
      const { data, ...tenant } = found;
      const { thresholdRatio, maxHotBytes } = sessionSettings(data, config);
      const hasOwnRatio = data.sessions.spill_threshold_ratio !== undefined;
      return { id, grantedBytes, ...tenant, settings: { thresholdRatio, maxHotBytes, hasOwnRatio } };
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      telemetry.logger.error('The sessions of a tenant cannot be read', { tenant_id: id, error });
      return 'unreadable';
    }
  };

  return {
    /**
     * All of them: two round trips for each hundred or so. What the pool does not know of them, or knows of tenants that are no
     * more, is put right on the way.
     */
    async readAll(
      signal?: AbortSignal,
    ): Promise<{ readonly tenants: readonly PassTenant[]; readonly unreadable: number }> {
      // The pool may tell of one twice.
      const tenants = new Map<TenantId, PassTenant>();
      let unreadable = 0;
      let cursor: string | null = null;
      do {
        const page: HolderPage = await budget.holders(cursor, signal);
        cursor = page.next;
        if (page.holders.length === 0) continue;
        const gates = await redis.sendAll(
          page.holders.map(({ tenantId }) => ['HMGET', keys.gate(tenantId), ...TENANT_FIELDS] as const),
          { kind: 'read', signal },
        );
        const amiss: TenantId[] = [];
        for (const [i, holder] of page.holders.entries()) {
          const tenant = read(holder, gates[i]);
          if (tenant === 'unreadable') unreadable++;
          else if (tenant === 'gone' || isAhead(tenant, holder)) amiss.push(holder.tenantId);
          if (typeof tenant === 'object') tenants.set(tenant.id, tenant);
        }
        await budget.reconcile(amiss, signal);
      } while (cursor !== null);
      return { tenants: [...tenants.values()], unreadable };
    },

    /** A tenant's hot bytes as they are now. One round trip. */
    async hotBytes(id: TenantId, signal?: AbortSignal): Promise<number> {
      const text = asTextOrNull(await redis.send(['HGET', keys.gate(id), 'm'], { kind: 'read', signal }));
      return text === null ? 0 : unpackCounters(text).hotSessionBytes;
    },
  };
}
