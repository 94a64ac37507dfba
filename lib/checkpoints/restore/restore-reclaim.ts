/** Reclaims what a restore has replaced: it is in the safety checkpoint. */
import type { OldGenerations } from '../../cleaning/old-generations.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import type { StepContext } from './restore-job.ts';
import type { TenantRestore } from './tenant-restore.ts';

export type RestoreReclaim = ReturnType<typeof createRestoreReclaim>;

export function createRestoreReclaim(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly restore: Pick<TenantRestore, 'gateOf'>;
  readonly old: Pick<OldGenerations, 'reclaim'>;
}) {
  const { redis, keys, restore, old } = deps;

  /** @returns whether nothing is left. */
  const reclaimTenant = async (id: TenantId, { signal, isOver }: Pick<StepContext, 'signal' | 'isOver'>) => {
    const gate = await restore.gateOf(id, signal);
    if (gate === null) return true;
    const others = (await redis.send(['ZRANGEBYSCORE', keys.generations(id), '(0', '+inf'], {
      kind: 'read',
      signal,
    })) as readonly string[];
    const place = { id, generation: gate.limits.generation, signal };
    for (const other of others) {
      let gone = false;
      while (!gone) {
        if (isOver()) return false;
        const page = await old.reclaim(place, { generation: Number(other), maxPages: 20 });
        gone = page.gone || page.records === 0;
      }
    }
    return true;
  };

  /** @returns the last tenant of which nothing is left. */
  const reclaimAll = async (
    lines: readonly CheckpointTenant[],
    before: TenantId | null,
    context: Pick<StepContext, 'signal' | 'isOver'>,
  ): Promise<TenantId | null> => {
    let last = before;
    for (const { tenant } of lines) {
      if (!(await reclaimTenant(tenant, context))) return last;
      last = tenant;
    }
    return last;
  };

  return reclaimAll;
}
