/** Every setting that is said to be taken by running instances is, by those who read it too. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../lib/config/config.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { SETTINGS } from '../../lib/config/schema.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { nested } from '../../lib/runtime-config/settings.ts';
import { newTenant, newTenantRequest, testEnv } from '../support/app.ts';
import { change } from '../support/config-service.ts';
import { stateApp } from '../support/state-app.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

/** Another value for each. */
const OTHER: Readonly<Record<string, string>> = {
  'cache.default_ttl_seconds': '77',
  'cache.enable_compression': 'false',
  'cache.compression_threshold_bytes': '7',
  'cache.compression_algorithm': 'zstd',
  'cache.inline_max_bytes': '1000',
  'cache.enable_warming': 'false',
  'cache.warming_batch_size': '7',
  'cache.max_memory_bytes': '2GB',
  'cache.eviction_policy': 'none',
  'cache.local_min_entry_bytes': '7',
  'cache.max_lease_ms': '7000',
  'state.session_timeout_seconds': '77',
  'state.session_max_lifetime_seconds': '777',
  'state.session_max_bytes': '2048',
  'state.checkpoint_interval_seconds': '77',
  'state.max_checkpoints': '7',
  'state.kept_hourly': '7',
  'state.kept_daily': '8',
  'state.kept_weekly': '9',
  'state.checkpoint_cache': 'false',
  'state.shutdown_checkpoint': 'false',
  'state.restore_drill_interval_seconds': '7000',
  'state.checkpoint_compression': 'false',
  'tenant.isolation_level': 'shared',
  'tenant.enable_billing': 'false',
  'tenant.billing_interval_seconds': '77',
  'tenant.max_tenants': '77',
  'tenant.undo_window_seconds': '7',
  'tenant.enable_encryption': 'false',
  'tenant.default_quotas.memory_bytes': '7MB',
  'tenant.default_quotas.storage_bytes': '77MB',
  'tenant.default_quotas.operations_per_minute': '777',
  'tenant.default_quotas.data_transfer_bytes': '7GB',
  'billing.currency': 'EUR',
  'spillover.max_memory_bytes': '7000000',
  'spillover.threshold_ratio': '0.7',
  'spillover.interval_seconds': '7',
  'spillover.batch_size': '7',
  'spillover.storage_class': 'GLACIER_IR',
  'alerts.webhook_url': 'https://hooks.example.com/other',
  'alerts.webhook_timeout_ms': '777',
  'log.level': 'warn',
  'encryption.data_key_max_age_seconds': '77',
  'encryption.data_key_stale_seconds': '777',
  'http.cors_origins': 'https://app.example.com',
};
const SECRET = { PERSISTENCE_ALERTS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` };
const hot = SETTINGS.filter((setting) => setting.hot);
const otherOf = (path: string) =>
  path === 'billing.tariffs'
    ? JSON.stringify(OTHER_TARIFFS)
    : (OTHER[path] ?? expect.fail(`${path} has no other value`));
let OTHER_TARIFFS: unknown;

const plain = (config: Config): unknown => JSON.parse(JSON.stringify(config));

describe('settings that running instances take [K6]', () => {
  it('are all those that are marked so, each with another value here', async () => {
    const { app, again } = await stateApp({ env: SECRET });
    OTHER_TARIFFS = app.config.billing.tariffs.map((tariff) => ({ ...tariff, version: 'other' }));
    const reader = await again();
    const held = { ...reader.config };
    const paths = hot.map(({ path }) => path);
    const { changes } = await change(app, nested(Object.fromEntries(paths.map((path) => [path, otherOf(path)]))));
    expect(changes.map(({ name }) => name)).toEqual(paths);
    expect(changes.every((one) => one.hot)).toBe(true);

    await reader.configLook.now();
    const { PERSISTENCE_BLOBS_BUCKET = '', PERSISTENCE_CACHE_KEY_PREFIX = '' } = {
      PERSISTENCE_BLOBS_BUCKET: reader.config.blobs.bucket,
      PERSISTENCE_CACHE_KEY_PREFIX: reader.config.cache.keyPrefix,
    };
    const stated = Object.fromEntries(hot.map(({ path, variable }) => [variable, otherOf(path)]));
    const env = testEnv('tcp', { ...SECRET, ...stated, PERSISTENCE_BLOBS_BUCKET, PERSISTENCE_CACHE_KEY_PREFIX });
    const { config: expected } = await loadConfig({ env, readFile: () => '' });
    expect(plain(reader.config)).toEqual(plain(expected));
    // Services hold the groups, and see the same.
    expect(plain(held as Config)).toEqual(plain(expected));
  });

  it('act on the next call of who goes by them', async () => {
    const { app } = await stateApp();
    const { tenant } = await newTenant(app);
    await app.billing.get(tenant.id);
    await change(app, {
      tenant: { enable_billing: false, max_tenants: 1, undo_window_seconds: 5, enable_encryption: false },
      spillover: { max_memory_bytes: 1_000_000, threshold_ratio: 0.5 },
    });
    await expect(app.billing.get(tenant.id)).rejects.toMatchObject({ code: 'billing_disabled' });
    await expect(app.tenants.create(newTenantRequest())).rejects.toMatchObject({ code: 'tenant_limit_reached' });
    expect((await app.spillStats.ofAll()).budget).toMatchObject({ max_memory_bytes: 1_000_000, threshold_ratio: 0.5 });

    await change(app, { tenant: { max_tenants: 100, default_quotas: { memory_bytes: 12_345_678 } } });
    const { quotas, encryption } = await app.tenants.create({ ...newTenantRequest(), encryption: undefined });
    expect({ memory: quotas.memory_bytes, encryption }).toEqual({ memory: 12_345_678, encryption: false });
    await expect(app.tenantAdmin.remove(tenant.id, { undoMs: 6_000 })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
