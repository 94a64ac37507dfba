/** An empty Redis does not know that there are checkpoints: what a restore brings back would be deleted from S3 when it is given up. */
import { ulidTimeMs } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';

const ID_PREFIX = 'ckpt-';

/** From here on no object goes that a checkpoint may name. Changes nothing where that is known. */
export async function keepNamedObjects(
  {
    redis,
    keys,
    store,
  }: { readonly redis: RedisDriver; readonly keys: Keys; readonly store: Pick<CheckpointStore, 'ids'> },
  signal?: AbortSignal,
): Promise<void> {
  const key = keys.checkpointsOldest();
  if ((await redis.send(['EXISTS', key], { kind: 'read', signal })) === 1) return;
  const oldest = (await store.ids(signal)).at(-1);
  if (oldest === undefined) return;
  // Its id is not younger than what it names.
  await redis.send(['SET', key, ulidTimeMs(oldest.slice(ID_PREFIX.length)), 'NX'], { kind: 'write', signal });
}
