/** One short conversation with a Redis, for starting and stopping it. Never retries: the caller polls. */
import { Redis } from 'ioredis';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Connects, hands the connection to `ask`, and closes it.
 * @param address or a URL, as `redis://user:password@host:6379`.
 * @throws {Error} nobody answers within a second, or what `ask` throws.
 */
export async function askRedis<T>(address: RedisAddress | string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const options = {
    lazyConnect: true,
    protocol: 2 as const,
    disableClientInfo: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
  };
  const redis = typeof address === 'string' ? new Redis(address, options) : new Redis({ ...address, ...options });
  // Without a listener it would be printed. It tells why; connect() only that the connection is closed.
  let reason: Error | undefined;
  redis.on('error', (error: Error) => (reason = error));
  try {
    await redis.connect().catch((error: unknown) => {
      throw reason ?? error;
    });
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}

/** The process id of the Redis that listens at `address`. @throws {Error} as {@link askRedis}, or it still loads its data. */
export function redisPidAt(address: RedisAddress): Promise<number> {
  return askRedis(address, async (redis) => {
    await redis.ping();
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  });
}
