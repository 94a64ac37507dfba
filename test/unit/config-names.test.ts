import { describe, expect, it } from 'vitest';
import { DEFAULT_TARIFFS } from '../../lib/billing/default-tariffs.ts';
import { resolveConfig } from '../../lib/config/resolve-config.ts';
import { SETTINGS } from '../../lib/config/schema.ts';

/**
 * Every name users were promised, written out here and not taken from the schema: setting, its default inside, another
 * value as it is written outside, and that value inside.
 */
type Promised = readonly [path: string, inner: string, byDefault: unknown, written: string, read: unknown];

const REDIS: readonly Promised[] = [
  [
    'redis.url',
    'redis.url',
    'redis://localhost:6379',
    'rediss://cache.example:7000/2',
    'rediss://cache.example:7000/2',
  ],
  ['redis.rest_url', 'redis.restUrl', '', 'https://eu1.example.io', 'https://eu1.example.io'],
  ['redis.rest_token', 'redis.restToken', '', 'AX2=', 'AX2='],
  ['redis.pool_size', 'redis.poolSize', 10, '3', 3],
  ['redis.connection_timeout_ms', 'redis.connectionTimeoutMs', 5000, '250', 250],
  ['redis.command_timeout_ms', 'redis.commandTimeoutMs', 5000, '750', 750],
  ['redis.cluster_mode', 'redis.clusterMode', false, 'true', true],
  ['redis.retry_attempts', 'redis.retryAttempts', 3, '0', 0],
  ['redis.retry_delay_ms', 'redis.retryDelayMs', 100, '20', 20],
  ['redis.enable_pipelining', 'redis.enablePipelining', true, 'off', false],
  ['redis.max_pipeline_size', 'redis.maxPipelineSize', 100, '7', 7],
];
const CACHE: readonly Promised[] = [
  ['cache.default_ttl_seconds', 'cache.defaultTtlMs', 86_400_000, '60', 60_000],
  ['cache.max_entry_size_bytes', 'cache.maxEntrySizeBytes', 20_971_520, '1 MiB', 1_048_576],
  ['cache.key_prefix', 'cache.keyPrefix', 'riptide', 'acme', 'acme'],
  ['cache.version', 'cache.version', 'v1', 'v2', 'v2'],
  ['cache.enable_compression', 'cache.enableCompression', true, 'no', false],
  ['cache.compression_threshold_bytes', 'cache.compressionThresholdBytes', 1024, '2KB', 2048],
  ['cache.compression_algorithm', 'cache.compressionAlgorithm', 'lz4', 'ZSTD', 'zstd'],
  ['cache.enable_warming', 'cache.enableWarming', true, '0', false],
  ['cache.warming_batch_size', 'cache.warmingBatchSize', 100, '9', 9],
  ['cache.max_memory_bytes', 'cache.maxMemoryBytes', 1_073_741_824, '2GB', 2_147_483_648],
  ['cache.eviction_policy', 'cache.evictionPolicy', 'lru', 'none', 'none'],
  ['cache.inline_max_bytes', 'cache.inlineMaxBytes', 262_144, '1000', 1000],
  ['cache.local_max_bytes', 'cache.localMaxBytes', 33_554_432, '0', 0],
  ['cache.local_min_entry_bytes', 'cache.localMinEntryBytes', 4096, '1KB', 1024],
  ['cache.max_lease_ms', 'cache.maxLeaseMs', 60_000, '1500', 1500],
];
const STATE: readonly Promised[] = [
  ['state.session_timeout_seconds', 'sessions.timeoutMs', 1_800_000, '10', 10_000],
  ['state.session_max_lifetime_seconds', 'sessions.maxLifetimeMs', 2_592_000_000, '7200', 7_200_000],
  ['state.session_max_bytes', 'sessions.maxBytes', 1_048_576, '4KB', 4096],
  ['state.enable_hot_reload', 'state.enableHotReload', true, 'false', false],
  ['state.config_watch_paths', 'state.configWatchPaths', ['./config'], './a, ./b', ['./a', './b']],
  ['state.checkpoint_interval_seconds', 'state.checkpointIntervalMs', 300_000, '5', 5000],
  ['state.max_checkpoints', 'state.maxCheckpoints', 10, '2', 2],
  ['state.kept_hourly', 'state.keptHourly', 0, '24', 24],
  ['state.kept_daily', 'state.keptDaily', 0, '7', 7],
  ['state.kept_weekly', 'state.keptWeekly', 0, '4', 4],
  ['state.checkpoint_cache', 'state.checkpointCache', true, 'false', false],
  ['state.shutdown_checkpoint', 'state.shutdownCheckpoint', true, 'no', false],
  ['state.restore_drill_interval_seconds', 'state.restoreDrillIntervalMs', 0, '3600', 3_600_000],
  ['state.checkpoint_compression', 'state.checkpointCompression', true, 'no', false],
  ['state.enable_graceful_shutdown', 'state.enableGracefulShutdown', true, 'NO', false],
  ['state.shutdown_timeout_seconds', 'state.shutdownTimeoutMs', 30_000, '3', 3000],
];
const TENANT: readonly Promised[] = [
  ['tenant.enabled', 'tenant.enabled', true, 'false', false],
  ['tenant.default_quotas.memory_bytes', 'tenant.defaultQuotas.memory_bytes', 104_857_600, '1MB', 1_048_576],
  ['tenant.default_quotas.storage_bytes', 'tenant.defaultQuotas.storage_bytes', 1_073_741_824, '5', 5],
  ['tenant.default_quotas.operations_per_minute', 'tenant.defaultQuotas.operations_per_minute', 1000, '6', 6],
  [
    'tenant.default_quotas.data_transfer_bytes',
    'tenant.defaultQuotas.data_transfer_bytes',
    10_737_418_240,
    '1TB',
    2 ** 40,
  ],
  ['tenant.isolation_level', 'tenant.isolationLevel', 'strong', 'shared', 'shared'],
  ['tenant.enable_billing', 'tenant.enableBilling', true, 'false', false],
  ['tenant.billing_interval_seconds', 'tenant.billingIntervalMs', 60_000, '1', 1000],
  ['tenant.max_tenants', 'tenant.maxTenants', 10_000, '12', 12],
  ['tenant.undo_window_seconds', 'tenant.undoWindowMs', 604_800_000, '60', 60_000],
  ['tenant.enable_encryption', 'tenant.enableEncryption', true, 'false', false],
];
/** One list of prices, not the built-in one. */
const TARIFFS = DEFAULT_TARIFFS.map((tariff) => ({ ...tariff, version: 'ours' }));
const BACKGROUND: readonly Promised[] = [
  ['spillover.max_memory_bytes', 'spillover.maxMemoryBytes', 104_857_600, '10MB', 10_485_760],
  ['spillover.threshold_ratio', 'spillover.thresholdRatio', 0.8, '.95', 0.95],
  ['spillover.interval_seconds', 'spillover.intervalMs', 30_000, '15', 15_000],
  ['spillover.batch_size', 'spillover.batchSize', 10, '20', 20],
  ['spillover.storage_class', 'spillover.storageClass', 'STANDARD', 'glacier_ir', 'GLACIER_IR'],
  ['worker.queue_size', 'worker.queueSize', 1000, '500', 500],
  ['worker.batch_size', 'worker.batchSize', 50, '5', 5],
  ['worker.flush_interval_ms', 'worker.flushIntervalMs', 100, '10', 10],
  ['worker.max_attempts', 'worker.maxAttempts', 3, '1', 1],
  ['worker.retry_base_ms', 'worker.retryBaseMs', 100, '50', 50],
  ['worker.shutdown_timeout_ms', 'worker.shutdownTimeoutMs', 5000, '100', 100],
  ['worker.max_pending_per_session', 'worker.maxPendingPerSession', 1000, '11', 11],
  ['render.base_url', 'render.baseUrl', 'http://localhost:9123', 'https://render.example/', 'https://render.example'],
  ['render.ttl_seconds', 'render.ttlMs', 3_600_000, '30', 30_000],
  ['render.auto_renew', 'render.autoRenew', true, 'false', false],
  ['render.max_requests', 'render.maxRequests', 100, '5', 5],
  ['render.track_metrics', 'render.trackMetrics', true, 'false', false],
  ['render.cleanup_interval_seconds', 'render.cleanupIntervalMs', 300_000, '60', 60_000],
  ['log.level', 'log.level', 'info', 'DEBUG', 'debug'],
];
const SERVICE: readonly Promised[] = [
  ['blobs.bucket', 'blobs.bucket', 'riptide', 'acme-data', 'acme-data'],
  ['blobs.endpoint', 'blobs.endpoint', '', 'http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
  ['blobs.region', 'blobs.region', 'us-east-1', 'eu-central-1', 'eu-central-1'],
  ['blobs.force_path_style', 'blobs.forcePathStyle', false, 'yes', true],
  ['blobs.request_timeout_ms', 'blobs.requestTimeoutMs', 5000, '900', 900],
  ['blobs.checksums', 'blobs.checksums', 'supported', 'required', 'required'],
  [
    'http.cors_origins',
    'http.corsOrigins',
    [],
    'https://a.example,http://localhost:5173',
    ['https://a.example', 'http://localhost:5173'],
  ],
];
const BILLING: readonly Promised[] = [
  ['billing.currency', 'billing.currency', 'USD', 'EUR', 'EUR'],
  ['billing.tariffs', 'billing.tariffs', DEFAULT_TARIFFS, JSON.stringify(TARIFFS), TARIFFS],
];
const ENCRYPTION: readonly Promised[] = [
  ['encryption.provider', 'encryption.provider', 'none', 'KMS', 'kms'],
  ['encryption.kms_key_id', 'encryption.kmsKeyId', '', 'alias/riptide', 'alias/riptide'],
  ['encryption.kms_endpoint', 'encryption.kmsEndpoint', '', 'http://127.0.0.1:9001', 'http://127.0.0.1:9001'],
  ['encryption.region', 'encryption.region', 'us-east-1', 'eu-central-1', 'eu-central-1'],
  ['encryption.master_key_file', 'encryption.masterKeyFile', '', '/etc/riptide/master.key', '/etc/riptide/master.key'],
  ['encryption.data_key_max_age_seconds', 'encryption.dataKeyMaxAgeMs', 300_000, '60', 60_000],
  ['encryption.data_key_stale_seconds', 'encryption.dataKeyStaleMs', 3_600_000, '600', 600_000],
  ['encryption.request_timeout_ms', 'encryption.requestTimeoutMs', 2000, '700', 700],
];
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const ALERTS: readonly Promised[] = [
  ['alerts.webhook_url', 'alerts.webhookUrl', '', 'https://hooks.example/a', 'https://hooks.example/a'],
  ['alerts.webhook_secret', 'alerts.webhookSecret', [], WEBHOOK_SECRET, [WEBHOOK_SECRET]],
  ['alerts.webhook_timeout_ms', 'alerts.webhookTimeoutMs', 5000, '250', 250],
];
const ALL = [...ALERTS, ...BILLING, ...REDIS, ...CACHE, ...STATE, ...TENANT, ...BACKGROUND, ...SERVICE, ...ENCRYPTION];
const ADMIN = { PERSISTENCE_ADMIN_KEY_SHA256: 'ab'.repeat(32) };
const noFile = () => {
  throw new Error('no file is named');
};

const variableOf = (path: string) => `PERSISTENCE_${path.replaceAll('.', '_').toUpperCase()}`;
const at = (config: unknown, inner: string) =>
  inner.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], config);
/** `a.b.c: x` as nested YAML. */
const yaml = (path: string, written: string) =>
  ['persistence', ...path.split('.')].map((name, depth) => `${'  '.repeat(depth)}${name}:`).join('\n') +
  ` ${JSON.stringify(written)}\n`;

/** Some values need others beside them to make sense. */
const companions = (path: string): Record<string, string> => {
  if (path === 'redis.rest_url') return { PERSISTENCE_REDIS_REST_TOKEN: 't' };
  if (path === 'alerts.webhook_url') return { PERSISTENCE_ALERTS_WEBHOOK_SECRET: WEBHOOK_SECRET };
  return path === 'encryption.provider' ? { PERSISTENCE_ENCRYPTION_KMS_KEY_ID: 'alias/riptide' } : {};
};

describe.each([
  ['redis', REDIS],
  ['cache', CACHE],
  ['state', STATE],
  ['tenant', TENANT],
  ['spillover, worker, render, log', BACKGROUND],
  ['blobs, http', SERVICE],
  ['alerts', ALERTS],
  ['encryption', ENCRYPTION],
  ['billing', BILLING],
])('every promised name of %s [G1 G2 G3 G4 G5]', (_group, promised) => {
  it.each(promised)('%s has its default', async (_path, inner, byDefault) => {
    const { config, issues } = await resolveConfig({ env: ADMIN, readFile: noFile });
    expect(issues).toEqual([]);
    expect(at(config, inner)).toEqual(byDefault);
  });

  it.each(promised)('%s is read from its PERSISTENCE_ variable [G6]', async (path, inner, byDefault, written, read) => {
    const env = { ...ADMIN, ...companions(path), [variableOf(path)]: written };
    const { config, issues } = await resolveConfig({ env, readFile: noFile });
    expect(issues).toEqual([]);
    expect(at(config, inner)).toEqual(read);
    expect(read).not.toEqual(byDefault);
  });

  it.each(promised)('%s is read from the file [G6]', async (path, inner, _byDefault, written, read) => {
    const env = { ...ADMIN, ...companions(path), RIPTIDE_CONFIG: 'persistence.yml' };
    const { config, issues } = await resolveConfig({ env, readFile: () => yaml(path, written) });
    expect(issues).toEqual([]);
    expect(at(config, inner)).toEqual(read);
  });
});

describe('the schema and the promise [G6 K6]', () => {
  it('know the same names', () => {
    const promised = [...ALL.map(([path]) => path), 'admin.key_sha256'];
    expect(SETTINGS.map(({ path }) => path).sort()).toEqual(promised.sort());
  });

  it('give no variable two meanings', () => {
    const names = SETTINGS.flatMap(({ variable, aliases = [] }) => [variable, ...aliases]);
    // Lambda's own: the region of every AWS service that names no other.
    const regions = SETTINGS.filter(({ aliases = [] }) => aliases.includes('AWS_REGION')).map(({ path }) => path);
    expect(regions).toEqual(['blobs.region', 'encryption.region']);
    const others = names.filter((name) => name !== 'AWS_REGION');
    expect(others).toHaveLength(new Set(others).size);
  });

  it('never lets a caller change what was loaded', async () => {
    const { config } = await resolveConfig({ env: ADMIN, readFile: noFile });
    const groups = [config, ...Object.values(config ?? {}).filter((value) => typeof value === 'object')];
    expect(groups.every((group) => Object.isFrozen(group))).toBe(true);
    expect(Object.isFrozen(config?.tenant.defaultQuotas)).toBe(true);
  });

  it('takes the admin key’s hash in either case', async () => {
    const { config } = await resolveConfig({
      env: { PERSISTENCE_ADMIN_KEY_SHA256: 'AB'.repeat(32) },
      readFile: noFile,
    });
    expect(config?.admin.keySha256).toBe('ab'.repeat(32));
  });
});

describe('who keeps the master key [T8 G6]', () => {
  it.each([
    [{}, 'none'],
    [{ PERSISTENCE_ENCRYPTION_KMS_KEY_ID: 'alias/a' }, 'kms'],
    [{ PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE: '/k' }, 'local'],
    [{ PERSISTENCE_ENCRYPTION_KMS_KEY_ID: 'alias/a', PERSISTENCE_ENCRYPTION_PROVIDER: 'none' }, 'none'],
    [
      {
        PERSISTENCE_ENCRYPTION_KMS_KEY_ID: 'alias/a',
        PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE: '/k',
        PERSISTENCE_ENCRYPTION_PROVIDER: 'local',
      },
      'local',
    ],
  ])('%j: %s', async (env, provider) => {
    const { config, issues } = await resolveConfig({ env: { ...ADMIN, ...env }, readFile: noFile });
    expect(issues).toEqual([]);
    expect(config?.encryption.provider).toBe(provider);
  });
});
