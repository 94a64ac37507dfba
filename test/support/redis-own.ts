/** A Redis of a test's own: to stop, to fill, to look into. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type RunningRedis, type StartRedisOptions, startRedis } from '../../infra/local/redis/start-redis.ts';

/** A new folder below the system's temporary one, removed when the test ends. */
export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Starts a Redis that ends with the test, if the test has not ended it. `dir` default: a new folder. */
export async function ownRedis(options: Partial<StartRedisOptions> = {}): Promise<RunningRedis> {
  const redis = await startRedis({ appendonly: false, dir: await temporaryDir(), ...options });
  onTestFinished(() => redis.stop());
  return redis;
}
