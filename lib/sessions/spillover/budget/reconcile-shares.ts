import type { TenantId } from '../../../ids.ts';
import type { Keys } from '../../../keys.ts';
import type { RedisDriver } from '../../../redis/driver.ts';
import { asList, asTextOrNull } from '../../../redis/reply-shape.ts';
import { releaseShare } from './release-share.ts';
import { type SessionGrant, type SessionShare, unpackGrant, unpackShare } from './share-format.ts';

export interface ReconcileReport {
  /** Tenants whose share the pool did not know. */
  readonly adopted: number;
  /** Tenants in the pool that are no more. */
  readonly released: number;
}

/**
 * @param deps.grant asks the pool; the share given with it counts as granted where the pool knows of no newer one.
 * @returns what puts the pool right about a page of tenants. It may have been lost, whole or the last second of it, while the
 * gates were not, or a gate: what they allow is counted again, even if that is more than there is; then nobody is granted anything before
 * enough was lowered. Two looks in one round trip, and one more for each tenant that is not in order.
 */
export function createReconcile(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly grant: (tenant: TenantId, share: SessionShare, signal?: AbortSignal) => Promise<unknown>;
}) {
  const { redis, keys } = deps;

  const read = async (page: readonly TenantId[], signal?: AbortSignal) => {
    const gates = page.map((id) => ['HMGET', keys.gate(id), 'h', 'b'] as const);
    const [pool, ...rest] = await redis.sendAll([['HMGET', keys.sessionBudget(), ...page], ...gates], {
      kind: 'read',
      signal,
    });
    if (pool instanceof Error) throw pool;
    const grants = asList(pool).map(asTextOrNull);
    return page.map((tenant, i) => ({ tenant, granted: grants[i] ?? null, gate: rest[i] }));
  };

  return async (page: readonly TenantId[], signal?: AbortSignal): Promise<ReconcileReport> => {
    let adopted = 0;
    let released = 0;
    if (page.length === 0) return { adopted, released };
    for (const { tenant, granted, gate } of await read(page, signal)) {
      if (gate instanceof Error) throw gate;
      const [limits, text] = asList(gate, 2).map(asTextOrNull);
      const share = unpackShare(text ?? null);
      const grant = unpackGrant(granted);
      if (limits === null && granted !== null) {
        await releaseShare(deps, tenant, signal);
        released++;
      } else if (limits !== null && isAhead(share, grant)) {
        await deps.grant(tenant, { ...share, epoch: Math.max(share.epoch, grant.epoch) }, signal);
        adopted++;
      }
    }
    return { adopted, released };
  };
}

/**
 * Whether a gate has what the pool does not know: the pool lost its last steps; or the gate lost that its share was lowered, and
 * has the one of before. As far as can be told from looks that were not at once.
 */
export const isAhead = (share: SessionShare, grant: SessionGrant): boolean =>
  share.epoch > grant.epoch || share.shareBytes > grant.grantedBytes;
