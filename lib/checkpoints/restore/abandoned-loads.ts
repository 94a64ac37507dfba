/** Reclaims what a restore loaded that failed, or was cancelled. Only whoever has the turn of checkpoints may: then none is loading. */
import type { OldGenerations } from '../../cleaning/old-generations.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { tenantPages } from '../../tenants/tenant-pages.ts';
import type { Tenants } from '../../tenants/tenants.ts';

const PAGE = 500;

export type AbandonedLoads = ReturnType<typeof createAbandonedLoads>;

export function createAbandonedLoads(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly old: Pick<OldGenerations, 'reclaim'>;
}) {
  const { redis, keys, tenants, old } = deps;

  const loadedOf = async (id: TenantId, signal?: AbortSignal) =>
    (
      (await redis.send(['ZRANGEBYSCORE', keys.generations(id), 0, 0], { kind: 'read', signal })) as readonly string[]
    ).map(Number);

  /** Of a tenant that Redis has lost: nothing else names its records. What they point to in S3 belongs to checkpoints. */
  const removeLoaded = async (id: TenantId, generation: number, signal?: AbortSignal) => {
    const index = keys.index(id, generation);
    for (;;) {
      const members = (await redis.send(['ZRANGE', index, '[k\0', '(k\x01', 'BYLEX', 'LIMIT', 0, PAGE], {
        kind: 'read',
        signal,
      })) as readonly string[];
      if (members.length === 0) break;
      const records = members.map((member) => keys.listedRecord(id, generation, member));
      await redis.send(['UNLINK', ...records], { kind: 'write', signal });
      await redis.send(['ZREM', index, ...members], { kind: 'write', signal });
    }
    await redis.send(['UNLINK', index], { kind: 'write', signal });
    await redis.send(['ZREM', keys.generations(id), generation], { kind: 'write', signal });
  };

  const ofTenant = async (id: TenantId, signal?: AbortSignal): Promise<number> => {
    const loaded = await loadedOf(id, signal);
    if (loaded.length === 0) return 0;
    const limits = await redis.send(['HGET', keys.gate(id), 'h'], { kind: 'read', signal });
    for (const generation of loaded) {
      if (typeof limits !== 'string') await removeLoaded(id, generation, signal);
      else
        await old.reclaim({ id, generation: unpackLimits(limits).generation, signal }, { generation, abandoned: true });
    }
    return loaded.length;
  };

  return {
    ofTenant,
    removeLoaded,

    /** A restore begins to load: until `run` has been through, or it is done, there may be some. */
    note: (signal?: AbortSignal) => redis.send(['SET', keys.restoreLoads(), 1], { kind: 'write', signal }),
    forget: (signal?: AbortSignal) => redis.send(['DEL', keys.restoreLoads()], { kind: 'write', signal }),

    /** Of all tenants, if there may be any. @returns generations removed. */
    async run(signal?: AbortSignal): Promise<number> {
      if ((await redis.send(['EXISTS', keys.restoreLoads()], { kind: 'read', signal })) === 0) return 0;
      let removed = 0;
      for await (const page of tenantPages(tenants, signal))
        for (const id of page) removed += await ofTenant(id, signal);
      if (!signal?.aborted) await redis.send(['DEL', keys.restoreLoads()], { kind: 'write', signal });
      return removed;
    },
  };
}
