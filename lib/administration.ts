/**
 * What administration and the schedules are made of. Loaded with its first call (lazy-administration.ts): a request of a
 * tenant reads none of it.
 */
import { type Alerts, createAlerts } from './alerts/alerts.ts';
import { createWebhookSender, withWebhookFailpoints } from './alerts/webhook-sender.ts';
import { type Audit, createAudit } from './audit/audit.ts';
import { type Billing, createBilling } from './billing/billing.ts';
import type { BlobStore } from './blobs/store.ts';
import { createCacheTools } from './cache/cache-tools.ts';
import { type CleanUp, createCleanUp } from './cache/clean-up.ts';
import { createCorruption } from './cache/corruption.ts';
import { createOldExports, type OldExports } from './cache/exports/old-exports.ts';
import { createInvalidationRun } from './cache/invalidation/invalidation-run.ts';
import { createReclaim, type Reclaim } from './cache/invalidation/reclaim.ts';
import { createTenantInvalidation, type TenantInvalidation } from './cache/invalidation/tenant-invalidation.ts';
import type { BlobValues } from './cache/large/blob-values.ts';
import { createColdTier } from './cache/memory/cold-tier.ts';
import { createColdestEntries } from './cache/memory/coldest-entries.ts';
import { createEviction } from './cache/memory/eviction.ts';
import { createMemoryBudget, type MemoryBudget } from './cache/memory/memory-budget.ts';
import { createTiering } from './cache/memory/tiering.ts';
import { type CacheStats, createCacheStats } from './cache/stats/stats.ts';
import { type CacheStatsSum, createCacheStatsSum } from './cache/stats/stats-sum.ts';
import { createWarming, type Warming } from './cache/warming/warming.ts';
import { createCheckpointNow } from './checkpoints/checkpoint-now.ts';
import { type CheckpointSchedule, createCheckpointSchedule } from './checkpoints/checkpoint-schedule.ts';
import { type CheckpointUpkeep, createCheckpointUpkeep } from './checkpoints/checkpoint-upkeep.ts';
import { type Checkpoints, createCheckpoints } from './checkpoints/checkpoints.ts';
import { createDrills, type Drills } from './checkpoints/drill/drills.ts';
import { createRestores, type Restores } from './checkpoints/restore/restores.ts';
import { createStateAdmin, type StateAdmin } from './checkpoints/state-admin.ts';
import { createStateTools } from './checkpoints/state-tools.ts';
import { createDoomedObjects } from './cleaning/doomed-objects.ts';
import { createOldGenerations } from './cleaning/old-generations.ts';
import { createTombstones } from './cleaning/tombstones.ts';
import type { Config } from './config/config.ts';
import type { DataKeys } from './crypto/data-keys.ts';
import { keyRefs, type TenantKeys } from './crypto/tenant-keys.ts';
import { createErasure, type Erasure } from './erasure/erasure.ts';
import type { KeyRef } from './gate/context-format.ts';
import { createExpiredRecords } from './gate/expired-records.ts';
import { hostRuns } from './jobs/host-runs.ts';
import { createJobRunners } from './jobs/job-runners.ts';
import { createJobs, type Jobs } from './jobs/jobs.ts';
import { createStartRun, functionOf } from './jobs/start-run.ts';
import type { Keys } from './keys.ts';
import { lazily } from './lazily.ts';
import type { Telemetry } from './metrics/telemetry.ts';
import { type AbandonedHolds, createAbandonedHolds } from './quotas/abandoned.ts';
import type { RedisDriver } from './redis/driver.ts';
import type { FailpointHook } from './redis/failpoints.ts';
import { unpackActive } from './runtime-config/active-format.ts';
import type { AppStart } from './runtime-config/config-instance.ts';
import type { ConfigLook } from './runtime-config/config-look.ts';
import type { ConfigVersions } from './runtime-config/config-versions.ts';
import { createConfigServices } from './runtime-config/create-runtime-config.ts';
import type { Reload } from './runtime-config/reload.ts';
import type { RuntimeConfig } from './runtime-config/runtime-config.ts';
import { createPass } from './sessions/spillover/pass/create-pass.ts';
import type { SpillPass } from './sessions/spillover/pass/spill-pass.ts';
import { createSpillStats, type SpillStats } from './sessions/spillover/pass/spill-stats.ts';
import { createSessionUpkeep, type SessionUpkeep } from './sessions/spillover/session-upkeep.ts';
import type { SpillTools } from './sessions/spillover/spill-tools.ts';
import { hostStop } from './shutdown/host-stop.ts';
import { type AccessCheck, createAccessCheck } from './tenants/access.ts';
import { type ApiKeyList, createApiKeyList } from './tenants/api-key-list.ts';
import { type ApiKeys, createApiKeys } from './tenants/api-keys.ts';
import { createKeyRotation, type KeyRotation } from './tenants/key-rotation.ts';
import { createTenantPolicies, type TenantPolicies } from './tenants/policies.ts';
import { createPublisher } from './tenants/publisher.ts';
import { createQuotaRequests, type QuotaRequests } from './tenants/quota-requests.ts';
import { createRevocationLog } from './tenants/revocation-log.ts';
import { createTenantAdmin, type TenantAdmin } from './tenants/tenant-admin.ts';
import { createTenantChanges } from './tenants/tenant-change.ts';
import { createTenantList, type TenantList } from './tenants/tenant-list.ts';
import { createTenantReader } from './tenants/tenant-reader.ts';
import { createTenants, type ProvisionKey, type Tenants } from './tenants/tenants.ts';
import { createUnpublished, type Unpublished } from './tenants/unpublished.ts';
import { createUsage, type Usage } from './usage/usage.ts';

export interface Administration {
  readonly abandonedHolds: AbandonedHolds;
  readonly accessCheck: AccessCheck;
  readonly alerts: Alerts;
  readonly apiKeyList: ApiKeyList;
  readonly apiKeys: ApiKeys;
  readonly audit: Audit;
  readonly billing: Billing;
  readonly checkpoints: Checkpoints;
  readonly checkpointSchedule: CheckpointSchedule;
  readonly checkpointUpkeep: CheckpointUpkeep;
  readonly cleanUp: CleanUp;
  readonly erasure: Erasure;
  readonly jobs: Jobs;
  readonly keyRotation: KeyRotation;
  readonly memoryBudget: MemoryBudget;
  readonly quotaRequests: QuotaRequests;
  readonly tenantAdmin: TenantAdmin;
  readonly tenantInvalidation: TenantInvalidation;
  readonly tenantList: TenantList;
  readonly tenantPolicies: TenantPolicies;
  readonly tenants: Tenants;
  readonly unpublished: Unpublished;
  readonly usage: Usage;
  readonly warming: Warming;
  readonly cacheStats: CacheStats;
  readonly cacheStatsSum: CacheStatsSum;
  readonly oldExports: OldExports;
  readonly sessionUpkeep: SessionUpkeep;
  readonly spillPass: SpillPass;
  readonly spillStats: SpillStats;
  readonly drills: Drills;
  readonly restores: Restores;
  readonly stateAdmin: StateAdmin;
  readonly runtimeConfig: RuntimeConfig;
  readonly configReload: Reload;
  readonly configVersions: ConfigVersions;
}

/** The ports, as app.ts has chosen and wrapped them. */
export interface AdministrationDeps {
  readonly config: Config;
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  readonly blobValues: Pick<BlobValues, 'write' | 'read'>;
  readonly keys: Keys;
  readonly tenantKeys: TenantKeys;
  readonly dataKeys: DataKeys | null;
  readonly telemetry: Telemetry;
  /** Unix ms. */
  readonly now: () => number;
  readonly failpoint: FailpointHook | undefined;
  /** How the configuration came about. */
  readonly start: AppStart;
  readonly configLook: Pick<ConfigLook, 'now'>;
  /** Those of the requests: what is known of a tenant is known to both. */
  readonly spillTools: () => Promise<SpillTools>;
}

export function createAdministration(deps: AdministrationDeps): Administration {
  const { config, redis, blobs, keys, tenantKeys, dataKeys, telemetry, now } = deps;
  const reader = createTenantReader({ redis, keys });
  const publisher = createPublisher({ redis, keys });
  const changes = createTenantChanges({ redis, keys, reader, publisher, now });
  const policies = createTenantPolicies({ reader, changes });
  const provisionKey = firstKeyFrom(tenantKeys);
  const tenants = createTenants({ redis, keys, config: config.tenant, reader, provisionKey, now });
  const audit = createAudit({ redis, blobs, keys, telemetry, now });
  // Getters: another configuration may come while the services live (lib/runtime-config).
  const billing = createBilling({
    ...{ redis, keys, tenants, publisher, telemetry, now },
    prices: config.billing,
    get enabled() {
      return config.tenant.enableBilling;
    },
    get intervalMs() {
      return config.tenant.billingIntervalMs;
    },
  });
  const lambda = functionOf(process.env.RIPTIDE_JOBS_FUNCTION);
  const runs = createStartRun({ name: 'run-jobs', hostRuns, lambda, telemetry });
  const stateTools = createStateTools(deps, tenants);
  const jobs = createJobs({ redis, keys, runners: createJobRunners(deps, stateTools), telemetry, now, runs, hostStop });
  const checkpoints = createCheckpoints({
    ...stateTools,
    jobs,
    config: config.state,
    configVersion: activeVersion(redis, keys),
    makeNow: createCheckpointNow({ ...stateTools, now }),
    now,
  });
  const restores = createRestores({ ...stateTools, jobs, now });
  const expired = createExpiredRecords({ redis, keys, now });
  const reclaim = createReclaim({ redis, keys });
  const invalidation = createInvalidationRun({ redis, keys, jobs, expired, reclaim });
  return {
    abandonedHolds: createAbandonedHolds({ redis, keys, tenants, now }),
    accessCheck: createAccessCheck({ reader }),
    alerts: createAlerts({
      redis,
      keys,
      config: config.alerts,
      tenants,
      reader,
      sender: senderOf(deps),
      telemetry,
      now,
    }),
    apiKeyList: createApiKeyList({ redis, keys, reader, now }),
    apiKeys: createApiKeys({
      redis,
      keys,
      reader,
      publisher,
      policies,
      revocations: createRevocationLog({ blobs, now }),
      now,
    }),
    audit,
    billing,
    checkpoints,
    checkpointSchedule: createCheckpointSchedule({
      ...{ checkpoints, telemetry, now },
      store: stateTools.store,
      config: config.state,
    }),
    checkpointUpkeep: createCheckpointUpkeep({ ...stateTools, redis, keys, tenants, now }),
    cleanUp: createCleanUp({
      redis,
      keys,
      tenants,
      telemetry,
      expired,
      reclaim,
      tombstones: createTombstones({ redis, keys }),
      oldGenerations: createOldGenerations({ redis, keys }),
      doomed: createDoomedObjects({ redis, keys, blobs }),
      now,
    }),
    erasure: createErasure({
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
      now,
    }),
    jobs,
    memoryBudget: createBudget(deps, { tenants, reclaim }),
    keyRotation: createKeyRotation({ redis, keys, tenants, tenantKeys, changes, telemetry }),
    quotaRequests: createQuotaRequests({ reader, changes, now }),
    restores,
    drills: createDrills({ jobs, config: config.state, now }),
    stateAdmin: createStateAdmin({ ...stateTools, checkpoints, restores, jobs, audit, now }),
    tenantAdmin: createTenantAdmin({
      ...{ changes, reader, provisionKey, now },
      get undoWindowMs() {
        return config.tenant.undoWindowMs;
      },
    }),
    tenantInvalidation: createTenantInvalidation({ redis, keys, reader, audit, run: invalidation.run, now }),
    tenantList: createTenantList({ redis, keys }),
    tenantPolicies: policies,
    tenants,
    unpublished: createUnpublished({ redis, keys, tenants, publisher }),
    usage: createUsage({ redis, keys, now }),
    cacheStats: createCacheStats({ redis, keys, now }),
    cacheStatsSum: createCacheStatsSum({ redis, keys, tenants, telemetry, now }),
    oldExports: createOldExports({ redis, keys, blobs, now }),
    ...createSpillover(deps, tenants),
    ...createConfigServices(deps),
    warming: createWarming({ ...createCacheTools(deps), jobs, audit, now }),
  };
}

/** The version of the configuration that is active; null: none was made. */
const activeVersion = (redis: RedisDriver, keys: Keys) => async (signal?: AbortSignal) => {
  const text = await redis.send(['GET', keys.configActive()], { kind: 'read', signal });
  return typeof text === 'string' ? unpackActive(text).version : null;
};

/** What schedules and administration do about the memory of hot sessions. */
function createSpillover(deps: AdministrationDeps, tenants: Tenants) {
  const { spillTools } = deps;
  return {
    sessionUpkeep: lazily<SessionUpkeep>({ run: true }, async () =>
      createSessionUpkeep({ ...deps, tenants, budget: (await spillTools()).budget }),
    ),
    spillPass: lazily<SpillPass>({ run: true }, async () => createPass({ ...deps, tools: await spillTools() })),
    spillStats: createSpillStats(deps),
  };
}

/** The memory of all tenants: what cleaning does about it. */
function createBudget(
  { config: { cache: config }, redis, keys, blobValues, telemetry, now }: AdministrationDeps,
  { tenants, reclaim }: { readonly tenants: Tenants; readonly reclaim: Reclaim },
): MemoryBudget {
  const coldest = createColdestEntries({ redis, keys });
  const corruption = createCorruption({ telemetry });
  const coldTier = createColdTier({ redis, keys, config, blobValues, corruption, telemetry, now });
  const eviction = createEviction({
    redis,
    keys,
    config,
    coldest,
    reclaim: async (id, generation, signal) => (await reclaim.some({ id, generation, signal })).removed,
    telemetry,
  });
  const tiering = createTiering({ config, coldest, coldTier, eviction, telemetry });
  return createMemoryBudget({ redis, keys, config, tenants, tiering, telemetry });
}

function senderOf({ config, failpoint, now }: AdministrationDeps) {
  const sender = createWebhookSender({
    get timeoutMs() {
      return config.alerts.webhookTimeoutMs;
    },
    now,
  });
  return failpoint === undefined ? sender : withWebhookFailpoints(sender, failpoint);
}

/** A tenant's first data key, as its context holds it. */
const firstKeyFrom =
  (tenantKeys: TenantKeys): ProvisionKey =>
  async (id, signal) => {
    const set = await tenantKeys.provision(id, signal);
    return keyRefs(set).find(({ version }) => version === set.data_key) as KeyRef;
  };
