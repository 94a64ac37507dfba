/** Composition root: the only file that knows which adapter stands behind each port. */
import { type Account, createAccount } from './account/account.ts';
import { withBlobFailpoints } from './blobs/failpoints.ts';
import { createS3Store } from './blobs/s3-store.ts';
import type { BlobStore } from './blobs/store.ts';
import { type Cache, createCache } from './cache/cache.ts';
import { type CleanUp, createCleanUp } from './cache/clean-up.ts';
import { createCorruption } from './cache/corruption.ts';
import { createValuePacker } from './cache/value-packer.ts';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load-config.ts';
import { createContexts } from './gate/contexts.ts';
import { createGate, type Gate } from './gate/gate.ts';
import { createHealth, type Health } from './health/health.ts';
import { createIdempotency, type Idempotency } from './http/idempotency.ts';
import { createKeys } from './keys.ts';
import { telemetry } from './metrics/telemetry.ts';
import type { RedisDriver } from './redis/driver.ts';
import { type FailpointHook, withFailpoints } from './redis/failpoints.ts';
import { type ApiKeys, createApiKeys } from './tenants/api-keys.ts';
import { createTenants, type Tenants } from './tenants/tenants.ts';

export interface App {
  readonly config: Config;
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  readonly gate: Gate;
  readonly account: Account;
  readonly apiKeys: ApiKeys;
  readonly cache: Cache;
  readonly cleanUp: CleanUp;
  readonly health: Health;
  readonly idempotency: Idempotency;
  readonly tenants: Tenants;
  /** Closes connections; for long-running hosts and tests. */
  close(): Promise<void>;
}

let starting: Promise<App> | undefined;
let started: App | undefined;

/** Builds the app on the first request of a cold start, then reuses it. A bad configuration is tried again, not kept. */
export function getApp(): Promise<App> {
  starting ??= startApp().catch((error: unknown) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

/** The app, once it is built. */
export const loadedApp = (): App | undefined => started;

async function startApp(): Promise<App> {
  const readFile = async (path: string) => (await import('node:fs/promises')).readFile(path, 'utf8');
  const { config, notes } = await loadConfig({ env: process.env, readFile });
  telemetry.logger.setLogLevel(config.log.level.toUpperCase() as 'INFO');
  for (const note of notes) telemetry.logger.warn(note);
  started = await buildApp(config);
  return started;
}

/**
 * Puts the app together. Nothing connects before its first use.
 * @param failpoint called before and after each call of a port; tests make it throw, wait or end the process.
 */
export async function buildApp(config: Config, failpoint?: FailpointHook): Promise<App> {
  const driver = await createDriver(config);
  const store = createS3Store(config.blobs);
  const redis = failpoint === undefined ? driver : withFailpoints(driver, failpoint);
  const blobs = failpoint === undefined ? store : withBlobFailpoints(store, failpoint);

  const keys = createKeys(`${config.cache.keyPrefix}:${config.cache.version}:`);
  const gate = createGate({ redis, keys, contexts: createContexts() });
  const tenants = createTenants({ redis, keys, config: config.tenant, now: Date.now });
  const packer = createValuePacker(config.cache);
  return {
    config,
    redis,
    blobs,
    gate,
    tenants,
    account: createAccount({ gate }),
    apiKeys: createApiKeys({ redis, keys, now: Date.now }),
    cache: createCache({ gate, keys, config: config.cache, packer, corruption: createCorruption({ telemetry }) }),
    cleanUp: createCleanUp({ redis, keys, tenants, telemetry, now: Date.now }),
    health: createHealth({ redis, blobs }),
    idempotency: createIdempotency({ redis, keys }),
    close: () => redis.close(),
  };
}

/** The other transport's client is never loaded. */
async function createDriver({ redis }: Config): Promise<RedisDriver> {
  if (redis.transport === 'rest') return (await import('./redis/rest-driver.ts')).createRestDriver(redis);
  return (await import('./redis/tcp-driver.ts')).createTcpDriver(redis);
}
