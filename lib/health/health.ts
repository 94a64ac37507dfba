import type { BlobStore } from '../blobs/store.ts';
import type { RedisDriver } from '../redis/driver.ts';
import type { ReadyResponse } from './contract.ts';

export type Health = ReturnType<typeof createHealth>;

/** A probe is asked often and answers soon. */
const PROBE_MS = 2_000;

export function createHealth({ redis, blobs }: { readonly redis: RedisDriver; readonly blobs: BlobStore }) {
  const probe = (check: (signal: AbortSignal) => Promise<unknown>) =>
    check(AbortSignal.timeout(PROBE_MS)).then(
      () => 'up' as const,
      () => 'down' as const,
    );
  return {
    /** Asks each component, for two seconds at most. Never throws. */
    async ready(): Promise<ReadyResponse> {
      const [redisState, s3State] = await Promise.all([
        probe((signal) => redis.send(['PING'], { kind: 'read', signal })),
        probe((signal) => blobs.ping({ signal })),
      ]);
      const components = { redis: redisState, s3: s3State };
      if (redisState === 'down')
        return { status: 'unavailable', components, detail: 'Redis is down: no data can be read or written' };
      if (s3State === 'down')
        return {
          status: 'degraded',
          components,
          detail: 'S3 is down: the cache works, nothing can be spilled or checkpointed',
        };
      return { status: 'ready', components };
    },
  };
}
