/** All tenants together, and a Redis that has no memory left. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCluster } from '../../infra/local/redis/start-cluster.ts';
import { startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import type { App } from '../../lib/app.ts';
import type { SetEntry } from '../../lib/cache/cache.ts';
import type { StoredEntry } from '../../lib/cache/entry.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { TenantId } from '../../lib/ids.ts';
import type { EntryName } from '../../lib/keys.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { ownRedis } from '../support/redis-own.ts';

const named = (key: string): EntryName => ({ namespace: 'ns', key });
const entryOf = (bytes: number): SetEntry => ({
  value: randomBytes(bytes),
  meta: { content_type: 'application/octet-stream' },
  ttlMs: 3_600_000,
});
const env = (more: object = {}) => ({
  PERSISTENCE_CACHE_KEY_PREFIX: `budget${randomBytes(4).toString('hex')}`,
  PERSISTENCE_CACHE_LOCAL_MAX_BYTES: '0',
  PERSISTENCE_CACHE_MAX_ENTRY_SIZE_BYTES: '10000',
  ...more,
});
const fill = async (app: App, caller: Caller, count: number, bytes: number) => {
  for (let i = 0; i < count; i++) await app.cache.set(caller, named(`k${i}`), entryOf(bytes));
};
const memoryOf = async (app: App, id: TenantId) => Number((await gateState(app, id).meter()).memory);
const pendingOf = (app: App, id: TenantId) => gateState(app, id).read('v');

describe.each(TRANSPORTS)('the memory of the deployment over %s [C13]', (transport) => {
  it('is divided when it is short: who uses little is left alone, who uses much is cut, and it is lifted again', async () => {
    const app = await testApp({ transport, env: env({ PERSISTENCE_CACHE_MAX_MEMORY_BYTES: '100000' }) });
    const [small, large, none] = [
      await newTenant(app),
      await newTenant(app),
      await newTenant(app, { cache: { eviction_policy: 'none' } }),
    ];
    await fill(app, small.caller, 5, 1_000);
    expect(await app.memoryBudget.run()).toEqual({ shared: 0, spilled: 0, evicted: 0, warmed: 0 });
    await fill(app, large.caller, 40, 1_500);
    await fill(app, none.caller, 30, 1_500);
    const used = await memoryOf(app, small.tenant.id);
    const level = Math.floor((100_000 - used) / 2);
    const report = await app.memoryBudget.run();
    expect(report.shared).toBe(2);
    expect(report.spilled).toBeGreaterThan(10);
    expect(await pendingOf(app, small.tenant.id)).toBe(null);
    expect(await pendingOf(app, large.tenant.id)).toBe(`v1,0,0,0,0,${level}`);
    expect(await memoryOf(app, large.tenant.id)).toBeLessThanOrEqual(level * 0.7);

    await expect(app.cache.set(none.caller, named('more'), entryOf(1_500))).rejects.toMatchObject({
      code: 'memory_full',
      message: expect.stringContaining("share of the deployment's memory"),
      details: { limit: level },
    });
    await fill(app, large.caller, 60, 1_500);
    expect(await memoryOf(app, large.tenant.id)).toBeLessThanOrEqual(level);
    for (let i = 0; i < 30; i++) await app.cache.delete(none.caller, named(`k${i}`));
    expect((await app.memoryBudget.run()).shared).toBe(1);
    expect(await pendingOf(app, none.tenant.id)).toBe(null);
    for (let i = 0; i < 60; i++) await app.cache.delete(large.caller, named(`k${i}`));
    expect((await app.memoryBudget.run()).shared).toBe(0);
    expect(await pendingOf(app, large.tenant.id)).toBe(null);
    for (const { tenant } of [small, large, none]) await auditTenant(app, tenant.id);
  });

  it('passes over a tenant whose gate is damaged, and one that is gone', async () => {
    const app = await testApp({ transport, env: env({ PERSISTENCE_CACHE_MAX_MEMORY_BYTES: '10000' }) });
    const [damaged, good] = [await newTenant(app), await newTenant(app)];
    await fill(app, good.caller, 20, 1_000);
    await gateState(app, damaged.tenant.id).write('h', 'what is this');
    expect((await app.memoryBudget.run()).shared).toBe(1);
  });
});

describe('a Redis out of memory [C13]', () => {
  it.each(TRANSPORTS)('over %s: reads, removals and metering go on, writes get 507', async (transport) => {
    const redis = await ownRedis({ extraArgs: ['--maxmemory-policy', 'noeviction'] });
    const changes: Record<string, string> = { ...env(), REDIS_URL: redis.url };
    if (transport === 'rest') {
      const endpoint = await startUpstashEndpoint({ redisUrl: redis.url, token: 'full-token' });
      onTestFinished(() => endpoint.stop());
      delete changes.REDIS_URL;
      changes.UPSTASH_REDIS_REST_URL = endpoint.url;
      changes.UPSTASH_REDIS_REST_TOKEN = 'full-token';
    }
    const app = await testApp({ transport, env: changes });
    const operator = await testApp({ env: { ...env(), REDIS_URL: redis.url } });
    const { tenant, caller } = await newTenant(app);
    await fill(app, caller, 10, 2_000);
    const limit = (bytes: string) => operator.redis.send(['CONFIG', 'SET', 'maxmemory', bytes], { kind: 'write' });
    await limit('1');
    const before = await gateState(app, tenant.id).meter();
    await expect(app.cache.set(caller, named('new'), entryOf(10))).rejects.toMatchObject({
      code: 'store_full',
      status: 507,
    });
    expect(((await app.cache.get(caller, named('k3'))) as StoredEntry).value.length).toBe(2_000);
    expect(await app.cache.get(caller, named('missing'))).toBe(null);
    expect(await app.cache.head(caller, named('k3'))).toMatchObject({ rawBytes: 2_000 });
    await app.account.verify(caller);
    expect(await app.cache.delete(caller, named('k3'))).toBe(true);
    expect(await app.cache.delete(caller, named('k3'))).toBe(false);
    const after = await gateState(app, tenant.id).meter();
    expect(after.hits - before.hits).toBe(2n);
    expect(after.misses - before.misses).toBe(1n);
    expect(after.ops - before.ops).toBeGreaterThanOrEqual(5n);
    expect(after.entries).toBe(9n);
    // An administrator can free memory too, and it is in the audit log.
    const selector = { by: 'keys', namespace: named('k4').namespace, keys: ['k4'] } as const;
    await app.tenantInvalidation.invalidate({ tenantId: tenant.id, selector, dry: false }, {});
    expect(await app.cache.get(caller, named('k4'))).toBe(null);
    await limit('0');
    expect(await auditTenant(app, tenant.id)).toBe(8);
    await app.cache.set(caller, named('new'), entryOf(10));
  });
});

describe('on a Cluster [C13]', () => {
  it('evicts, moves out and back, and divides', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'budget-cluster-'));
    const cluster = await startCluster({ dir });
    onTestFinished(async () => {
      await cluster.stop();
      await rm(dir, { recursive: true, force: true });
    });
    const changes = { REDIS_URL: cluster.url, PERSISTENCE_REDIS_CLUSTER_MODE: 'true' };
    const app = await testApp({ env: env({ ...changes, PERSISTENCE_CACHE_MAX_MEMORY_BYTES: '60000' }) });
    const quotas = { operations_per_minute: 1_000_000, memory_bytes: 30_000 };
    const all = await Promise.all([1, 2, 3, 4].map(() => newTenant(app, { quotas })));
    for (const { caller } of all) await fill(app, caller, 30, 1_500);
    for (const { tenant } of all) expect(await memoryOf(app, tenant.id)).toBeLessThanOrEqual(30_000);
    const report = await app.memoryBudget.run();
    expect(report).toMatchObject({ shared: 4 });
    expect(report.spilled).toBeGreaterThan(10);
    for (const { tenant, caller } of all) {
      await app.cache.get(caller, named('k29'));
      await auditTenant(app, tenant.id);
    }
    await app.close();
  });
});
