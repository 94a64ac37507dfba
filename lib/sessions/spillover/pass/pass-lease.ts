/** Has one pass at a time do the work. Two at once would do no harm, only the same twice: so it need not be certain. */
import type { Keys } from '../../../keys.ts';
import type { RedisDriver } from '../../../redis/driver.ts';

/** Longer than a pass, with its last step, takes; one that ended without a word keeps the next away no longer, ms. */
const LEASE_MS = 30_000;
/** Within it a pass may be sure that the lease is still its own. */
const SURE_MS = LEASE_MS - 5_000;

/**
 * Does the work unless somebody else is at it. Two round trips more.
 * @param nowMs by a clock that never goes back.
 * @returns null: somebody is. @throws as RedisDriver.send, and what the work throws.
 */
export async function withLease<T>(
  { redis, keys, nowMs }: { readonly redis: RedisDriver; readonly keys: Keys; readonly nowMs: () => number },
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T | null> {
  const startedAt = nowMs();
  const taken = ['SET', keys.spillPass(), startedAt, 'NX', 'PX', LEASE_MS] as const;
  if ((await redis.send(taken, { kind: 'write', signal })) === null) return null;
  try {
    return await work();
  } finally {
    // Later it may be another's. One that cannot be given back ends by itself.
    if (nowMs() - startedAt < SURE_MS)
      await redis.send(['DEL', keys.spillPass()], { kind: 'write' }).catch(() => undefined);
  }
}
