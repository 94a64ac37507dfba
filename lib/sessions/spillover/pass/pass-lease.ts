/** Has one pass at a time do the work. Two at once would do no harm, only the same twice: so it need not be certain. */
import { isStoreFull } from '../../../errors.ts';
import type { Keys } from '../../../keys.ts';
import type { RedisDriver } from '../../../redis/driver.ts';

/** Longer than a pass, with its last step, takes; one that ended without a word keeps the next away no longer, ms. */
const LEASE_MS = 30_000;
const NO_LEASE = 'full';
/** Within it a pass may be sure that the lease is still its own. */
const SURE_MS = LEASE_MS - 5_000;

/**
 * Does the work unless somebody else is at it. Two round trips more. Where Redis is out of memory it is done without a lease.
 * @param nowMs by a clock that never goes back.
 * @returns null: somebody is. @throws as RedisDriver.send, and what the work throws.
 */
export async function withLease<T>(
  { redis, keys, nowMs }: { readonly redis: RedisDriver; readonly keys: Keys; readonly nowMs: () => number },
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T | null> {
  const startedAt = nowMs();
  const take = ['SET', keys.spillPass(), startedAt, 'NX', 'PX', LEASE_MS] as const;
  const taken = await redis.send(take, { kind: 'write', signal }).catch((error: unknown) => {
    // The work is what makes room.
    if (isStoreFull(error)) return NO_LEASE;
    throw error;
  });
  if (taken === null) return null;
  if (taken === NO_LEASE) return work();
  try {
    return await work();
  } finally {
    // Later it may be another's. One that cannot be given back ends by itself.
    if (nowMs() - startedAt < SURE_MS)
      await redis.send(['DEL', keys.spillPass()], { kind: 'write' }).catch(() => undefined);
  }
}
