/** A Redis of a suite's own: nothing else is counted there, and nothing has to be removed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { startRedis } from '../../infra/local/redis/start-redis.ts';
import type { App } from '../../lib/app.ts';
import { createRawTcp } from './raw-clients.ts';
import { startApp } from './start-app.ts';

export interface OwnRedis {
  readonly url: string;
  /** Of the service, over TCP. */
  readonly app: App;
  /** With the same options. */
  readonly redis: Redis;
}

/** Starts it, and an app on it; with `parts` both are gone. @param env the app's environment, but for the address of Redis. */
export async function startOwnRedis(
  env: Readonly<Record<string, string>>,
  parts: AsyncDisposableStack,
): Promise<OwnRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-bench-redis-'));
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  const server = await startRedis({ dir, appendonly: false });
  parts.defer(() => server.stop());
  const app = await startApp({ ...env, REDIS_URL: server.url }, { parts });
  const redis = createRawTcp(app.config.redis);
  parts.defer(() => redis.disconnect());
  return { url: server.url, app, redis };
}

/** Bytes. */
export async function usedMemory(redis: Redis): Promise<number> {
  const [, bytes] = /^used_memory:(\d+)/m.exec(await redis.info('memory')) ?? [];
  return Number(bytes);
}
