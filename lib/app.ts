/** Composition root: only here, and in administration.ts, is known which adapter stands behind each port. */
import type { Account } from './account/account.ts';
import type { Administration } from './administration.ts';
import { withBlobFailpoints } from './blobs/failpoints.ts';
import { createS3Store } from './blobs/s3-store.ts';
import type { BlobStore } from './blobs/store.ts';
import { type Cache, createCache } from './cache/cache.ts';
import { createCorruption } from './cache/corruption.ts';
import type { Invalidation } from './cache/invalidation/invalidation.ts';
import type { BlobValues } from './cache/large/blob-values.ts';
import { createElapsedClock } from './cache/local/elapsed-clock.ts';
import type { ColdTier } from './cache/memory/cold-tier.ts';
import type { Eviction } from './cache/memory/eviction.ts';
import { createValuePacker } from './cache/value-packer.ts';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load-config.ts';
import { createKeyProvider } from './crypto/create-key-provider.ts';
import { createDataKeys, type DataKeys } from './crypto/data-keys.ts';
import { withKeyFailpoints } from './crypto/failpoints.ts';
import type { KeyProvider } from './crypto/key-provider.ts';
import { createTenantCipher } from './crypto/tenant-cipher.ts';
import type { TenantKeys } from './crypto/tenant-keys.ts';
import { createContexts } from './gate/contexts.ts';
import type { ExpiredRecords } from './gate/expired-records.ts';
import { createGate, type Gate } from './gate/gate.ts';
import { createSeenKeys } from './gate/seen-keys.ts';
import type { Health } from './health/health.ts';
import type { Idempotency } from './http/idempotency.ts';
import type { TenantId } from './ids.ts';
import type { OwnJobs } from './jobs/own-jobs.ts';
import { createKeys } from './keys.ts';
import { lazily } from './lazily.ts';
import { createLazyAdministration } from './lazy-administration.ts';
import { createLazySessions } from './lazy-sessions.ts';
import { telemetry } from './metrics/telemetry.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { RateLimiter } from './rate-limiter/limiter.ts';
import type { RedisDriver } from './redis/driver.ts';
import { type FailpointHook, withFailpoints } from './redis/failpoints.ts';
import type { AppStart, ConfigInstance } from './runtime-config/config-instance.ts';
import { type ConfigLook, createConfigLook } from './runtime-config/config-look.ts';
import { createLiveConfig, type LiveConfig } from './runtime-config/live-config.ts';
import type { Sessions } from './sessions/sessions.ts';

export interface App extends Administration {
  /** As it is at the moment: the values are replaced when another configuration is taken (lib/runtime-config). */
  readonly config: Config;
  readonly liveConfig: LiveConfig;
  readonly configLook: ConfigLook;
  /** Of this instance, as against all of them. */
  readonly configInstance: ConfigInstance;
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  /** Null: `encryption.provider` is none, and nothing is encrypted. */
  readonly keyProvider: KeyProvider | null;
  /** Null as `keyProvider`. */
  readonly dataKeys: DataKeys | null;
  readonly tenantKeys: TenantKeys;
  readonly gate: Gate;
  readonly account: Account;
  readonly cache: Cache;
  readonly health: Health;
  readonly idempotency: Idempotency;
  readonly invalidation: Invalidation;
  readonly ownJobs: OwnJobs;
  readonly quotas: Quotas;
  readonly rateLimiter: RateLimiter;
  readonly sessions: Sessions;
  /** Closes connections; for long-running hosts and tests. */
  close(): Promise<void>;
}

/** What stands for them until the first key is needed. */
const TENANT_KEYS = {
  provision: true,
  rotate: true,
  rewrap: true,
  currentKeyId: true,
  refs: true,
  find: true,
  exists: true,
  destroy: true,
} as const;

/** An instance that serves every tenant knows them all, up to so many: then none costs it a second trip. */
const MAX_CONTEXTS = 20_000;

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
  let text: string | undefined;
  // Once: what this instance started with, whatever becomes of the file.
  const readFile = async (path: string) => (text ??= await (await import('node:fs/promises')).readFile(path, 'utf8'));
  const sources = { env: { ...process.env }, readFile };
  const { config, notes } = await loadConfig(sources);
  telemetry.logger.setLogLevel(config.log.level.toUpperCase() as 'INFO');
  // The first request does not wait for them.
  void notes().then((all) => all.forEach((note) => void telemetry.logger.warn(note)));
  started = await withActiveVersion(await buildApp(config, undefined, { sources }), sources);
  if (process.env.AWS_LAMBDA_RUNTIME_API) process.once('SIGTERM', endInstance);
  return started;
}

/** On Lambda; a host stops in its own order. */
const endInstance = () =>
  import('./shutdown/lambda-stop.ts')
    .then(({ stopInstance }) => started && stopInstance(started, telemetry))
    .finally(() => process.exit());

/** The app, or another one where the active version of the configuration states what only a start can take. */
async function withActiveVersion(app: App, sources: AppStart['sources']): Promise<App> {
  const other = (await app.configLook.atStart()) ? await app.configInstance.restart() : null;
  if (other === null) return app;
  await app.close();
  return buildApp(other.config, undefined, { sources, parts: other.parts });
}

/**
 * Puts the app together. Nothing connects before its first use.
 * @param failpoint called before and after each call of a port; tests make it throw, wait or end the process.
 * @param start how the configuration came about: another version of it begins with the same. Default: the environment.
 */
export async function buildApp(
  loaded: Config,
  failpoint?: FailpointHook,
  start: AppStart = { sources: { env: process.env, readFile: () => '' } },
): Promise<App> {
  const liveConfig = createLiveConfig(loaded);
  const { config } = liveConfig;
  const driver = await createDriver(config);
  const store = createS3Store(config.blobs);
  const redis = failpoint === undefined ? driver : withFailpoints(driver, failpoint);
  const blobs = failpoint === undefined ? store : withBlobFailpoints(store, failpoint);
  const provider = await createKeyProvider(config.encryption);
  const keyProvider = failpoint === undefined || provider === null ? provider : withKeyFailpoints(provider, failpoint);

  const now = Date.now;
  const elapsed = createElapsedClock();
  const keys = createKeys(`${config.cache.keyPrefix}:${config.cache.version}:`);
  const configInstance = lazily<ConfigInstance>({ apply: true, restart: true }, async () => {
    const [{ createConfigInstance }, { createVersionStore }] = await Promise.all([
      import('./runtime-config/config-instance.ts'),
      import('./runtime-config/version-store.ts'),
    ]);
    const store = createVersionStore({ redis, blobs, keys });
    return createConfigInstance({ live: liveConfig, store, start, telemetry });
  });
  const configLook = createConfigLook({
    redis,
    keys,
    isOn: () => config.state.enableHotReload,
    apply: configInstance.apply,
    nowMs: elapsed,
  });
  const expired = lazily<Pick<ExpiredRecords, 'free'>>({ free: true }, async () =>
    (await import('./gate/expired-records.ts')).createExpiredRecords({ redis, keys, now }),
  );
  const gate = createGate({
    expired,
    redis,
    keys,
    contexts: createContexts(Math.min(config.tenant.maxTenants, MAX_CONTEXTS)),
    seen: createSeenKeys({ now: elapsed }),
  });
  const eviction = lazily<Pick<Eviction, 'makeRoom'>>({ makeRoom: true }, async () => {
    const [{ createEviction }, { createColdestEntries }, { createReclaim }] = await Promise.all([
      import('./cache/memory/eviction.ts'),
      import('./cache/memory/coldest-entries.ts'),
      import('./cache/invalidation/reclaim.ts'),
    ]);
    const coldest = createColdestEntries({ redis, keys });
    const hidden = createReclaim({ redis, keys });
    const reclaim = async (id: TenantId, generation: number, signal?: AbortSignal) =>
      (await hidden.some({ id, generation, signal })).removed;
    return createEviction({ redis, keys, config: config.cache, coldest, reclaim, telemetry });
  });
  const dataKeys = createDataKeysFor(config, keyProvider);
  const tenantKeys = lazily<TenantKeys>(TENANT_KEYS, async () =>
    (await import('./crypto/tenant-keys.ts')).createTenantKeys({ provider: keyProvider, blobs }),
  );
  const blobValues = lazily<BlobValues>(
    { begin: true, register: true, put: true, write: true, read: true, isWaiting: true, doom: true },
    async () => (await import('./cache/large/blob-values.ts')).createBlobValues({ redis, keys, blobs, gate, now }),
  );
  const corruption = createCorruption({ telemetry });
  const coldTier = lazily<Pick<ColdTier, 'promote'>>({ promote: true }, async () =>
    (await import('./cache/memory/cold-tier.ts')).createColdTier({
      redis,
      keys,
      config: config.cache,
      blobValues,
      corruption,
      telemetry,
      now,
    }),
  );
  const ports = {
    config,
    redis,
    blobs,
    blobValues,
    keys,
    tenantKeys,
    dataKeys,
    telemetry,
    now,
    failpoint,
    start,
    configLook,
  };
  const cache = createCache({
    gate,
    keys,
    config: config.cache,
    packer: createValuePacker(config.cache),
    cipher: createTenantCipher({ dataKeys, tenantKeys }),
    blobs,
    blobValues,
    promote: coldTier.promote,
    corruption,
    nowMs: elapsed,
    makeRoom: eviction.makeRoom,
    secret: config.admin.keySha256,
  });
  const { sessions, spillTools } = createLazySessions({ ...ports, gate, evict: eviction.makeRoom, nowMs: elapsed });
  const administration = createLazyAdministration({ ...ports, spillTools });
  return {
    ...administration,
    tenantKeys,
    config,
    liveConfig,
    configLook,
    configInstance,
    redis,
    blobs,
    keyProvider,
    dataKeys,
    gate,
    account: lazily<Account>({ verify: true, identify: true }, async () =>
      (await import('./account/account.ts')).createAccount({ gate }),
    ),
    cache,
    health: lazily<Health>({ ready: true }, async () =>
      (await import('./health/health.ts')).createHealth({ redis, blobs }),
    ),
    idempotency: lazily<Idempotency>({ run: true }, async () =>
      (await import('./http/idempotency.ts')).createIdempotency({ redis, keys, gate }),
    ),
    invalidation: lazily<Invalidation>({ invalidate: true }, async () => {
      const [{ createInvalidation }, { createInvalidationRun }, { createReclaim }] = await Promise.all([
        import('./cache/invalidation/invalidation.ts'),
        import('./cache/invalidation/invalidation-run.ts'),
        import('./cache/invalidation/reclaim.ts'),
      ]);
      const { jobs } = administration;
      const { run } = createInvalidationRun({ redis, keys, jobs, expired, reclaim: createReclaim({ redis, keys }) });
      return createInvalidation({ gate, keys, run, forgetCopies: cache.forgetCopies });
    }),
    ownJobs: lazily<OwnJobs>({ get: true }, async () => {
      const [{ createOwnJobs }, { createJobReader }] = await Promise.all([
        import('./jobs/own-jobs.ts'),
        import('./jobs/job-reader.ts'),
      ]);
      return createOwnJobs({ gate, reader: createJobReader({ redis, keys }), now });
    }),
    quotas: lazily<Quotas>(
      { check: true, overview: true, reserve: true, commit: true, refund: true, release: true },
      async () => (await import('./quotas/quotas.ts')).createQuotas({ redis, keys, gate, now }),
    ),
    sessions,
    rateLimiter: lazily<RateLimiter>({ check: true }, async () =>
      (await import('./rate-limiter/limiter.ts')).createRateLimiter({ gate, keys }),
    ),
    close: () => redis.close(),
  };
}

function createDataKeysFor({ encryption }: Config, provider: KeyProvider | null): DataKeys | null {
  if (provider === null) return null;
  return createDataKeys({
    provider,
    get maxAgeMs() {
      return encryption.dataKeyMaxAgeMs;
    },
    get staleMs() {
      return encryption.dataKeyStaleMs;
    },
    now: Date.now,
  });
}

/** The other transport's client is never loaded. */
async function createDriver({ redis }: Config): Promise<RedisDriver> {
  if (redis.transport === 'rest') return (await import('./redis/rest-driver.ts')).createRestDriver(redis);
  return (await import('./redis/tcp-driver.ts')).createTcpDriver(redis);
}
