/** Composition root: the only file that knows which adapter stands behind each port. */
import { type Account, createAccount } from './account/account.ts';
import { createLazyAlerts, type LazyAlerts } from './alerts/lazy-alerts.ts';
import { createWebhookSender, withWebhookFailpoints } from './alerts/webhook-sender.ts';
import type { Audit } from './audit/audit.ts';
import { createLazyAudit } from './audit/lazy-audit.ts';
import type { Billing } from './billing/billing.ts';
import { createLazyBilling } from './billing/lazy-billing.ts';
import { withBlobFailpoints } from './blobs/failpoints.ts';
import { createS3Store } from './blobs/s3-store.ts';
import type { BlobStore } from './blobs/store.ts';
import { type Cache, createCache } from './cache/cache.ts';
import { type CleanUp, createCleanUp } from './cache/clean-up.ts';
import { createCorruption } from './cache/corruption.ts';
import { createValuePacker } from './cache/value-packer.ts';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load-config.ts';
import { createKeyProvider } from './crypto/create-key-provider.ts';
import { createDataKeys, type DataKeys } from './crypto/data-keys.ts';
import { withKeyFailpoints } from './crypto/failpoints.ts';
import type { KeyProvider } from './crypto/key-provider.ts';
import { createTenantCipher } from './crypto/tenant-cipher.ts';
import { createTenantKeys, type TenantKeys } from './crypto/tenant-keys.ts';
import type { Erasure } from './erasure/erasure.ts';
import type { WrappedKey } from './gate/context-format.ts';
import { createContexts } from './gate/contexts.ts';
import { createGate, type Gate } from './gate/gate.ts';
import { createSeenKeys } from './gate/seen-keys.ts';
import { createHealth, type Health } from './health/health.ts';
import { createIdempotency, type Idempotency } from './http/idempotency.ts';
import { createKeys } from './keys.ts';
import { lazily } from './lazily.ts';
import { telemetry } from './metrics/telemetry.ts';
import { type AbandonedHolds, createAbandonedHolds } from './quotas/abandoned.ts';
import { createQuotas, type Quotas } from './quotas/quotas.ts';
import { createRateLimiter, type RateLimiter } from './rate-limiter/limiter.ts';
import type { RedisDriver } from './redis/driver.ts';
import { type FailpointHook, withFailpoints } from './redis/failpoints.ts';
import type { ApiKeyList } from './tenants/api-key-list.ts';
import { type ApiKeys, createApiKeys } from './tenants/api-keys.ts';
import type { KeyRotation } from './tenants/key-rotation.ts';
import type { TenantPolicies } from './tenants/policies.ts';
import { createPublisher } from './tenants/publisher.ts';
import type { QuotaRequests } from './tenants/quota-requests.ts';
import type { TenantAdmin } from './tenants/tenant-admin.ts';
import { createTenantChanges } from './tenants/tenant-change.ts';
import type { TenantList } from './tenants/tenant-list.ts';
import { createTenantReader } from './tenants/tenant-reader.ts';
import { createTenants, type ProvisionKey, type Tenants } from './tenants/tenants.ts';
import type { Unpublished } from './tenants/unpublished.ts';
import { createLazyUsage } from './usage/lazy-usage.ts';
import type { Usage } from './usage/usage.ts';

export interface App {
  readonly config: Config;
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  /** Null: `encryption.provider` is none, and nothing is encrypted. */
  readonly keyProvider: KeyProvider | null;
  /** Null as `keyProvider`. */
  readonly dataKeys: DataKeys | null;
  readonly gate: Gate;
  readonly account: Account;
  readonly alerts: LazyAlerts;
  readonly apiKeys: ApiKeys;
  readonly apiKeyList: ApiKeyList;
  readonly audit: Audit;
  readonly billing: Billing;
  readonly cache: Cache;
  readonly cleanUp: CleanUp;
  readonly abandonedHolds: AbandonedHolds;
  readonly quotas: Quotas;
  readonly health: Health;
  readonly idempotency: Idempotency;
  readonly rateLimiter: RateLimiter;
  readonly tenants: Tenants;
  readonly usage: Usage;
  readonly tenantKeys: TenantKeys;
  readonly keyRotation: KeyRotation;
  readonly erasure: Erasure;
  readonly tenantAdmin: TenantAdmin;
  readonly tenantList: TenantList;
  readonly tenantPolicies: TenantPolicies;
  readonly quotaRequests: QuotaRequests;
  readonly unpublished: Unpublished;
  /** Closes connections; for long-running hosts and tests. */
  close(): Promise<void>;
}

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
  const provider = await createKeyProvider(config.encryption);
  const keyProvider = failpoint === undefined || provider === null ? provider : withKeyFailpoints(provider, failpoint);
  const webhooks = createWebhookSender({ timeoutMs: config.alerts.webhookTimeoutMs, now: Date.now });
  const sender = failpoint === undefined ? webhooks : withWebhookFailpoints(webhooks, failpoint);

  const keys = createKeys(`${config.cache.keyPrefix}:${config.cache.version}:`);
  const contexts = createContexts(Math.min(config.tenant.maxTenants, MAX_CONTEXTS));
  const gate = createGate({ redis, keys, contexts, seen: createSeenKeys({ now: Date.now }) });
  const reader = createTenantReader({ redis, keys });
  const publisher = createPublisher({ redis, keys });
  const changes = createTenantChanges({ redis, keys, reader, publisher, now: Date.now });
  const tenantKeys = createTenantKeys({ provider: keyProvider, blobs });
  const provisionKey = firstKeyFrom(tenantKeys);
  const tenants = createTenants({ redis, keys, config: config.tenant, reader, provisionKey, now: Date.now });
  const audit = createLazyAudit({ redis, blobs, keys, telemetry, now: Date.now });
  const billing = createLazyBilling({
    redis,
    keys,
    tenants,
    publisher,
    prices: config.billing,
    enabled: config.tenant.enableBilling,
    intervalMs: config.tenant.billingIntervalMs,
    telemetry,
    now: Date.now,
  });
  const packer = createValuePacker(config.cache);
  const dataKeys = createDataKeysFor(config, keyProvider);
  return {
    config,
    redis,
    blobs,
    keyProvider,
    dataKeys,
    gate,
    tenants,
    tenantAdmin: lazily<TenantAdmin>(
      { update: true, suspend: true, resume: true, remove: true, previewRemoval: true, undelete: true },
      async () =>
        (await import('./tenants/tenant-admin.ts')).createTenantAdmin({
          changes,
          reader,
          provisionKey,
          undoWindowMs: config.tenant.undoWindowMs,
          now: Date.now,
        }),
    ),
    tenantList: lazily<TenantList>({ list: true }, async () =>
      (await import('./tenants/tenant-list.ts')).createTenantList({ redis, keys }),
    ),
    tenantPolicies: lazily<TenantPolicies>({ get: true, set: true }, async () =>
      (await import('./tenants/policies.ts')).createTenantPolicies({ reader, changes }),
    ),
    quotaRequests: lazily<QuotaRequests>({ create: true, list: true, approve: true, reject: true }, async () =>
      (await import('./tenants/quota-requests.ts')).createQuotaRequests({ reader, changes, now: Date.now }),
    ),
    unpublished: lazily<Unpublished>({ publishLeft: true }, async () =>
      (await import('./tenants/unpublished.ts')).createUnpublished({ redis, keys, tenants, publisher }),
    ),
    account: createAccount({ gate }),
    alerts: createLazyAlerts({ redis, keys, config: config.alerts, tenants, sender, telemetry, now: Date.now }),
    apiKeys: createApiKeys({ redis, keys, reader, publisher, now: Date.now }),
    apiKeyList: lazily<ApiKeyList>({ list: true }, async () =>
      (await import('./tenants/api-key-list.ts')).createApiKeyList({ redis, keys, reader, now: Date.now }),
    ),
    audit,
    billing,
    cache: createCache({
      gate,
      keys,
      config: config.cache,
      packer,
      cipher: createTenantCipher({ dataKeys }),
      corruption: createCorruption({ telemetry }),
    }),
    tenantKeys,
    keyRotation: lazily<KeyRotation>({ rotate: true, rewrapDue: true }, async () =>
      (await import('./tenants/key-rotation.ts')).createKeyRotation({
        redis,
        keys,
        tenants,
        tenantKeys,
        changes,
        telemetry,
      }),
    ),
    erasure: lazily<Erasure>({ eraseDue: true, get: true }, async () =>
      (await import('./erasure/erasure.ts')).createErasure({
        redis,
        blobs,
        keys,
        reader,
        changes,
        billing,
        tenantKeys,
        dataKeys,
        audit,
        telemetry,
        now: Date.now,
      }),
    ),
    abandonedHolds: createAbandonedHolds({ redis, keys, tenants, now: Date.now }),
    quotas: createQuotas({ redis, keys, gate, now: Date.now }),
    cleanUp: createCleanUp({ redis, keys, tenants, telemetry, now: Date.now }),
    health: createHealth({ redis, blobs }),
    idempotency: createIdempotency({ redis, keys, gate }),
    rateLimiter: createRateLimiter({ gate, keys }),
    usage: createLazyUsage({ redis, keys, now: Date.now }),
    close: () => redis.close(),
  };
}

function createDataKeysFor({ encryption }: Config, provider: KeyProvider | null): DataKeys | null {
  if (provider === null) return null;
  const { dataKeyMaxAgeMs: maxAgeMs, dataKeyStaleMs: staleMs } = encryption;
  return createDataKeys({ provider, maxAgeMs, staleMs, now: Date.now });
}

/** A tenant's first data key, as its context holds it. */
const firstKeyFrom =
  (tenantKeys: TenantKeys): ProvisionKey =>
  async (id, signal) => {
    const { keys, data_key } = await tenantKeys.provision(id, signal);
    return keys.find(({ version }) => version === data_key) as WrappedKey;
  };

/** The other transport's client is never loaded. */
async function createDriver({ redis }: Config): Promise<RedisDriver> {
  if (redis.transport === 'rest') return (await import('./redis/rest-driver.ts')).createRestDriver(redis);
  return (await import('./redis/tcp-driver.ts')).createTcpDriver(redis);
}
