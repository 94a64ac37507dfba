/** A deleted tenant is erased everywhere when its undo window has ended, with a receipt; wherever it was cut short before. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import type { App } from '../../lib/app.ts';
import { isIntact } from '../../lib/erasure/receipt.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { entryListing, erasureLogBlob, erasureReceiptBlob, tenantKeysBlob } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointCall, FailpointHook } from '../../lib/redis/failpoints.ts';
import { createPublisher } from '../../lib/tenants/publisher.ts';
import { createTenantAdmin } from '../../lib/tenants/tenant-admin.ts';
import { createTenantChanges } from '../../lib/tenants/tenant-change.ts';
import { createTenantReader } from '../../lib/tenants/tenant-reader.ts';
import { newTenant, newTenantRequest, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { counting, jobsOn, namedJobs } from '../support/job-service.ts';
import { firstNeed, sessionBudgetOn } from '../support/session-memory.ts';
import { keysOf } from '../support/tenant-state.ts';

const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };
const named = (key: string) => ({ namespace: 'ns', key });

let dir: string;
let redis: RunningRedis;
beforeAll(async () => {
  // Each cut is logged, as it should be; there are many.
  telemetry.logger.setLogLevel('SILENT');
  dir = await mkdtemp(join(tmpdir(), 'riptide-erasure-'));
  redis = await startRedis({ dir, appendonly: false });
});
afterAll(async () => {
  await redis.stop();
  await rm(dir, { recursive: true });
});

let prefixes = 0;
/** On a Redis of the test's own, where all keys may be looked at. */
const ownApp = (prefix: string, failpoint?: FailpointHook) =>
  testApp({
    env: { REDIS_URL: redis.url, PERSISTENCE_CACHE_KEY_PREFIX: prefix },
    ...(failpoint === undefined ? {} : { failpoint }),
  });
const freshPrefix = () => `e${prefixes++}`;

/** With entries, keys, a hold, a request, and an object of another part of the service. */
async function fullTenant(app: App, encryption = true) {
  const made = await newTenant(app, { encryption });
  const { caller, tenant } = made;
  for (let i = 0; i < 30; i++) await app.cache.set(caller, named(`k${i}`), value);
  await app.cache.set(caller, named('short'), { ...value, ttlMs: 60_000 });
  const body = Buffer.from('a spilled session');
  await app.blobs.put({ key: `sessions/spillover/${tenant.id}/1/session-1.session`, body });
  await sessionBudgetOn(app).grow(caller.tenantId, firstNeed(1_000));
  return made;
}

/** Administration on an instance with a clock of its own. */
function adminAt(app: App, now: () => number) {
  const { redis } = app;
  const keys = keysOf(app);
  const reader = createTenantReader({ redis, keys });
  const changes = createTenantChanges({ redis, keys, reader, publisher: createPublisher({ redis, keys }), now });
  const provisionKey = () => Promise.reject(new Error('no key is needed'));
  return createTenantAdmin({ changes, reader, provisionKey, undoWindowMs: 86_400_000, now });
}

const allKeys = async (app: App, id: TenantId) =>
  ((await app.redis.send(['KEYS', `*${id}*`], { kind: 'read' })) as readonly string[]).toSorted();

const auditEntries = async (app: App, tenantId: TenantId) =>
  (await app.audit.list({ limit: 100, tenantId, order: 'asc' })).lines.map(({ entry }) => entry);

/** What may be left: the receipt, and invoices. */
async function expectErased(app: App, id: TenantId): Promise<void> {
  const keys = keysOf(app);
  expect(await allKeys(app, id)).toEqual([keys.billing(id), keys.erased(id)].toSorted());
  expect(await app.blobs.head(tenantKeysBlob(id))).toBeNull();
  expect((await app.blobs.list({ prefix: `sessions/spillover/${id}/` })).items).toEqual([]);
  expect(await app.tenants.listIds({ limit: 100 })).not.toContain(id);
  expect((await app.tenantList.list({ limit: 100 })).items.map((tenant) => tenant.id)).not.toContain(id);
  const listed = await app.redis.sendAll(
    [
      ['HGET', keys.tenantSummary(), id],
      ['ZSCORE', keys.tenantIndex(), `i\0${id}`],
      ['HGET', keys.sessionBudget(), id],
    ],
    { kind: 'read' },
  );
  expect(listed).toEqual([null, null, null]);
}

describe('erasing a tenant [T9]', () => {
  it('leaves nothing but invoices, the audit log and a receipt that lists every store checked', async () => {
    const app = await ownApp(freshPrefix());
    const { tenant, caller } = await fullTenant(app);
    const other = await fullTenant(app);
    const jobs = jobsOn(app);
    await jobs.start(counting(1, { tenantId: tenant.id as TenantId, inlineMs: 60_000 }));
    await jobs.start(counting(1, { tenantId: tenant.id as TenantId }));
    const othersJob = await jobs.start(counting(1, { tenantId: other.tenant.id as TenantId }));
    // Kept beside invoices, and no invoice: the mark of where a plan ended.
    await app.tenantAdmin.update(tenant.id, { plan: 'professional' }, {});
    await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
    expect(await app.erasure.get(tenant.id)).toMatchObject({ state: 'scheduled' });
    expect(await app.erasure.eraseDue()).toEqual({ erased: 1, failed: 0, finished: true });

    await expectErased(app, tenant.id);
    expect(await namedJobs(app)).toMatchObject({ due: [othersJob.id], ended: [], listed: { length: 4 } });
    const { state, receipt } = await app.erasure.get(tenant.id);
    expect(state).toBe('erased');
    if (receipt === undefined) throw new Error('no receipt');
    expect(isIntact(receipt)).toBe(true);
    expect(receipt.method).toBe('removal_and_crypto_shred');
    expect(receipt.before).toMatchObject({ entries: 31, api_keys: 1 });
    expect(receipt.stores).toEqual([
      { store: 's3', name: 'keys/<tenant>', removed: 1, left: 0 },
      { store: 'redis', name: 'jobs', removed: 2, left: 0 },
      { store: 'redis', name: 'records', removed: 31, left: 0 },
      { store: 'redis', name: 'session_memory', removed: 1, left: 0 },
      { store: 'redis', name: 'session_quarantine', removed: 0, left: 0 },
      { store: 's3', name: 'checkpoint-data/<tenant>/', removed: 0, left: 0 },
      { store: 's3', name: 'sessions/spillover/<tenant>/', removed: 1, left: 0 },
      { store: 's3', name: 'cache/<tenant>/', removed: 0, left: 0 },
      { store: 's3', name: 'exports/<tenant>/', removed: 0, left: 0 },
      { store: 's3', name: 'log/revoked/<tenant>/', removed: 0, left: 0 },
    ]);
    const invoices = await app.billing.list(tenant.id);
    expect(invoices.length).toBeGreaterThan(0);
    expect(receipt.kept.map(({ name, count }) => [name, count])).toEqual([
      ['invoices', invoices.length],
      ['audit_log', null],
      ['replies', null],
    ]);
    for (const key of [erasureLogBlob(tenant.id), erasureReceiptBlob(tenant.id)]) {
      expect(await app.blobs.head(key), key).not.toBeNull();
    }
    expect((await auditEntries(app, tenant.id)).at(-1)).toMatchObject({
      action: 'tenant.erase',
      details: { state: 'done', receipt_sha256: receipt.sha256 },
    });

    // Nobody brings it back.
    await expect(app.cache.get(caller, named('k0'))).rejects.toMatchObject({ code: 'key_unknown' });
    await expect(app.tenants.get(tenant.id)).rejects.toMatchObject({ code: 'tenant_erased', status: 410 });
    await expect(app.tenantAdmin.undelete(tenant.id, {})).rejects.toMatchObject({ code: 'tenant_erased' });
    const ulid = tenant.id.slice('tenant-'.length);
    const again = app.tenants.create(newTenantRequest(), { ulid });
    await expect(again).rejects.toMatchObject({ code: 'tenant_erased' });
    await expectErased(app, tenant.id);
    // Others are not touched.
    expect(await app.cache.get(other.caller, named('k0'))).not.toBeNull();
    expect(await app.blobs.head(tenantKeysBlob(other.tenant.id))).not.toBeNull();
  });

  it('takes what no generation takes away, and every generation: before, beside and after the one it has', async () => {
    const app = await ownApp(freshPrefix());
    const { tenant, caller, key } = await newTenant(app);
    const keys = keysOf(app);
    await app.rateLimiter.check(caller, { name: 'logins', identifier: 'user-1', limit: 5, windowMs: 3_600_000 });
    const call = { caller: key, tenant: { caller, scope: 'none' }, idempotencyKey: 'k1', route: 'POST /x', body: '' };
    const run = { operationId: newUlid(Date.now()), leaseMs: 1_000 };
    await app.idempotency.run({ ...call, ...run }, async () => ({ status: 200, data: {} }));
    await app.cache.set(caller, named('of the first'), value);
    const gate = gateState(app, tenant.id);
    await gate.setLimits({ contextVersion: 2, generation: 4 });
    await app.cache.set(caller, named('of the fourth'), value);
    // One that a restore was loading.
    const loading = keys.cacheEntry(tenant.id as TenantId, 9, named('of the ninth'));
    const written = [
      ['SET', loading, 'x'],
      ['ZADD', keys.index(tenant.id as TenantId, 9), 0, entryListing(named('of the ninth'))],
      ['ZADD', keys.generations(tenant.id as TenantId), 0, 9, 1, 1],
    ] as const;
    await app.redis.sendAll(written, { kind: 'write' });
    await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
    expect(await app.erasure.eraseDue()).toEqual({ erased: 1, failed: 0, finished: true });
    await expectErased(app, tenant.id);
    const { receipt } = await app.erasure.get(tenant.id);
    expect(receipt?.stores).toContainEqual({ store: 'redis', name: 'records', removed: 5, left: 0 });
  });

  it('waits for the end of the undo window; undone, it erases nothing', async () => {
    const app = await ownApp(freshPrefix());
    const { tenant, caller } = await fullTenant(app, false);
    await app.tenantAdmin.remove(tenant.id, { undoMs: 60_000 });
    expect(await app.erasure.eraseDue()).toEqual({ erased: 0, failed: 0, finished: true });
    await expect(app.cache.get(caller, named('k0'))).rejects.toMatchObject({ code: 'tenant_deleted' });
    await app.tenantAdmin.undelete(tenant.id, {});
    expect(await app.erasure.eraseDue()).toEqual({ erased: 0, failed: 0, finished: true });
    expect(await app.cache.get(caller, named('k0'))).not.toBeNull();
    await expect(app.erasure.get(tenant.id)).rejects.toMatchObject({ code: 'tenant_not_deleted' });
  });

  it('leaves one alone that was found due, then undeleted and deleted anew, by an instance whose clock is behind', async () => {
    let meanwhile = async () => {};
    const app = await ownApp(freshPrefix(), ({ name, phase }) =>
      name === 'put' && phase === 'after' ? meanwhile() : undefined,
    );
    const [first, second] = [await newTenant(app), await newTenant(app)];
    for (const { tenant } of [first, second]) await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
    meanwhile = async () => {
      meanwhile = async () => {};
      const behind = adminAt(app, () => Date.now() - 60_000);
      await behind.undelete(second.tenant.id, {});
      await behind.remove(second.tenant.id, { undoMs: 3_600_000 });
    };
    expect(await app.erasure.eraseDue()).toMatchObject({ erased: 1, failed: 1 });
    expect(await app.erasure.get(first.tenant.id)).toMatchObject({ state: 'erased' });
    expect(await app.erasure.get(second.tenant.id)).toMatchObject({ state: 'scheduled' });
    await app.tenantAdmin.undelete(second.tenant.id, {});
    await app.account.identify(second.caller);
  });

  it('goes on wherever it was cut short: before and after every call', async () => {
    const probe = await ownApp(freshPrefix());
    const { tenant: first } = await fullTenant(probe);
    await probe.tenantAdmin.remove(first.id, { undoMs: 0 });
    const prefix = probe.config.cache.keyPrefix;
    const calls: FailpointCall[] = [];
    const watched = await ownApp(prefix, (call) => void calls.push(call));
    expect(await watched.erasure.eraseDue()).toMatchObject({ erased: 1 });
    expect(calls.length).toBeGreaterThan(40);

    for (let cut = 0; cut < calls.length; cut++) {
      const direct = await ownApp(freshPrefix());
      const { tenant, caller } = await newTenant(direct, { encryption: true });
      await direct.cache.set(caller, named('k'), value);
      await direct.tenantAdmin.remove(tenant.id, { undoMs: 0 });
      let seen = 0;
      const cutting = await ownApp(direct.config.cache.keyPrefix, () => {
        if (seen++ >= cut) throw new Error('the process ended here');
      });
      await cutting.erasure.eraseDue().catch(() => {});
      const { erased, failed } = await direct.erasure.eraseDue();
      expect({ cut, failed }).toEqual({ cut, failed: 0 });
      expect(erased).toBeLessThanOrEqual(1);
      await expectErased(direct, tenant.id);
      const { receipt } = await direct.erasure.get(tenant.id);
      expect(receipt?.before.entries).toBe(1);
      await Promise.all([direct.close(), cutting.close()]);
    }
  });

  it('is done again when a backup of Redis brings the tenant back; meanwhile its values stay closed', async () => {
    const app = await ownApp(freshPrefix());
    const { tenant, caller } = await fullTenant(app);
    const keys = (await allKeys(app, tenant.id)) as string[];
    const system = [app.config.cache.keyPrefix].flatMap(() => [
      keysOf(app).tenants(),
      keysOf(app).tenantIndex(),
      keysOf(app).tenantSummary(),
    ]);
    const dumpable = { host: '127.0.0.1', port: Number(new URL(redis.url).port) };
    const raw = new Redis(dumpable);
    const backup = await Promise.all(
      [...keys, ...system].map(async (key) => [key, await raw.dumpBuffer(key)] as const),
    );
    await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
    await app.erasure.eraseDue();
    for (const [key, dump] of backup) await raw.restore(key, 0, dump as Buffer, 'REPLACE');
    await raw.del(keysOf(app).erased(tenant.id));
    raw.disconnect();

    const restored = await ownApp(app.config.cache.keyPrefix);
    await expect(restored.cache.get(caller, named('k0'))).rejects.toMatchObject({ code: 'key_refused' });
    expect(await restored.erasure.eraseDue()).toMatchObject({ erased: 1, failed: 0 });
    await expectErased(restored, tenant.id);
    expect((await restored.erasure.get(tenant.id)).receipt?.before.entries).toBe(31);
    await expect(restored.cache.get(caller, named('k0'))).rejects.toMatchObject({ code: 'key_unknown' });
  });

  it('two runs at once erase it once', async () => {
    const prefix = freshPrefix();
    const apps = [await ownApp(prefix), await ownApp(prefix), await ownApp(prefix)];
    const [app] = apps as [App];
    const { tenant } = await fullTenant(app);
    await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
    await Promise.all(apps.map((one) => one.erasure.eraseDue()));
    await app.erasure.eraseDue();
    await expectErased(app, tenant.id);
    const entries = await auditEntries(app, tenant.id);
    const done = entries.filter((entry) => entry?.details.state === 'done');
    expect(done.length).toBe(1);
  });
});
