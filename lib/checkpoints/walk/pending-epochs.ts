/** Invalidations of a tenant that are not settled, read without changing anything. */
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { epochsFrom, type InvalidationEpochs } from '../format/invalidation-epochs.ts';

/** Two round trips; three while something is invalidated. */
export async function pendingEpochs(
  { redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys },
  id: TenantId,
  signal?: AbortSignal,
): Promise<InvalidationEpochs> {
  const names = (await redis.send(['ZRANGE', keys.invalidated(id), 0, -1], {
    kind: 'read',
    signal,
  })) as readonly string[];
  const [all, ...values] = (await redis.send(['HMGET', keys.gate(id), 'v', ...names], {
    kind: 'read',
    signal,
  })) as readonly (string | null)[];
  const epoch = Number(/^v1,(\d+),/.exec(all ?? '')?.[1] ?? 0);
  return epochsFrom(
    epoch,
    names.flatMap((name, i) => [name, values[i]?.split(',', 1)[0] ?? '0']),
  );
}
