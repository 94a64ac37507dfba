/** Reclaims what a restore loaded that failed, or was cancelled. Only whoever has the turn of checkpoints may: then none is loading. */
import type { OldGenerations } from '../../cleaning/old-generations.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';

const PAGE = 500;

export type AbandonedLoads = ReturnType<typeof createAbandonedLoads>;

export function createAbandonedLoads(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly old: Pick<OldGenerations, 'reclaim'>;
}) {
  const { redis, keys, old } = deps;

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

    /** Records of a tenant are loaded from here on: until it is forgotten, `run` looks whether somebody gave that up. */
    note: (id: TenantId, signal?: AbortSignal) =>
      redis.send(['SADD', keys.restoreLoads(), id], { kind: 'write', signal }),
    forget: (id: TenantId, signal?: AbortSignal) =>
      redis.send(['SREM', keys.restoreLoads(), id], { kind: 'write', signal }),

    /** Of all tenants that are noted: Redis may have lost them. @returns generations removed. */
    async run(signal?: AbortSignal): Promise<number> {
      const noted = await redis.send(['SMEMBERS', keys.restoreLoads()], { kind: 'read', signal });
      let removed = 0;
      for (const id of noted as readonly TenantId[]) {
        removed += await ofTenant(id, signal);
        if (signal?.aborted) break;
        await redis.send(['SREM', keys.restoreLoads(), id], { kind: 'write', signal });
      }
      return removed;
    },
  };
}
