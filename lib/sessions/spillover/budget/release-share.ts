import type { TenantId } from '../../../ids.ts';
import type { Keys } from '../../../keys.ts';
import { releaseSessionMemory } from '../../../redis/bindings/session-budget-scripts.ts';
import type { RedisDriver } from '../../../redis/driver.ts';
import { runScript } from '../../../redis/script.ts';

/**
 * Takes a tenant out of the pool of the session memory: only one that is erased, or refused everywhere. Atomic; again it finds
 * nothing.
 * @returns whether it was in the pool, and the bytes that are free for others now.
 * @throws as RedisDriver.send.
 */
export const releaseShare = (
  { redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys },
  tenant: TenantId,
  signal?: AbortSignal,
): Promise<{ readonly wasIn: boolean; readonly freedBytes: number }> =>
  runScript(redis, releaseSessionMemory, {
    keys: { budget: keys.sessionBudget() },
    args: { tenant },
    kind: 'write',
    signal,
  });
