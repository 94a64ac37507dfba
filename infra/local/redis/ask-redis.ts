/** One short conversation with a Redis, for starting and stopping it. Never retries: the caller polls. */
import { Redis } from 'ioredis';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Connects, hands the connection to `ask`, and closes it.
 * @throws {Error} nobody answers within a second, or what `ask` throws.
 */
export async function askRedis<T>(address: RedisAddress, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    ...address,
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
  });
  // Failures reach the caller through connect() and the commands; the event alone would be printed.
  redis.on('error', () => {});
  try {
    await redis.connect();
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
