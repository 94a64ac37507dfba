/** Cold values go to S3 before memory is full, and come back when they are asked for, or when there is room. */
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { SetEntry } from '../../lib/cache/cache.ts';
import type { StoredEntry } from '../../lib/cache/entry.ts';
import { createColdestEntries } from '../../lib/cache/memory/coldest-entries.ts';
import { BlobUnavailableError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { TenantId } from '../../lib/ids.ts';
import type { EntryName } from '../../lib/keys.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { setAccess } from '../support/set-access.ts';
import { keysOf } from '../support/tenant-state.ts';

const named = (key: string): EntryName => ({ namespace: 'ns', key });
const HOUR_MS = 3_600_000;
const entryOf = (value: Buffer, ttlMs: number | null = HOUR_MS): SetEntry => ({
  value,
  meta: { content_type: 'application/octet-stream', tags: ['one', 'two'] },
  ttlMs,
});
/** Of this test's own tenants only: a pass over all of them would move what other tests stored. */
const env = (prefix: string) => ({ PERSISTENCE_CACHE_KEY_PREFIX: prefix, PERSISTENCE_CACHE_LOCAL_MAX_BYTES: '0' });
const limited = (memory: number, more: object = {}) => ({
  quotas: { operations_per_minute: 1_000_000, memory_bytes: memory, ...more },
});

describe.each(TRANSPORTS)('the cold tier over %s [C13]', (transport) => {
  const newApp = (changes: object = {}) =>
    testApp({ transport, env: { ...env(`cold${randomBytes(4).toString('hex')}`), ...changes } });
  let app: App;
  // A pass is over all tenants there are: each test has its own.
  beforeEach(async () => {
    app = await newApp();
  });
  const meterOf = async (id: TenantId) => (await gateState(app, id).meter()) as { memory: bigint; storage: bigint };
  const tierOf = async (id: TenantId, tier: 'a' | 's') => {
    const found = await createColdestEntries({ redis: app.redis, keys: keysOf(app) }).coldest(id, 1, tier, {
      count: 1_000,
    });
    return found.map(({ record }) => record.split(':').at(-1) as string);
  };
  const values = (count: number, bytes: number) =>
    new Map(Array.from({ length: count }, (_, i) => [`k${String(i).padStart(2, '0')}`, randomBytes(bytes)]));
  const fill = async (caller: Caller, all: ReadonlyMap<string, Buffer>) => {
    for (const [key, value] of all) await app.cache.set(caller, named(key), entryOf(value));
  };
  const same = async (caller: Caller, all: ReadonlyMap<string, Buffer>) => {
    for (const [key, value] of all) {
      const entry = (await app.cache.get(caller, named(key))) as StoredEntry | null;
      expect(entry?.value.equals(value), key).toBe(true);
    }
  };

  it.each([
    { what: 'plain', encryption: false },
    { what: 'sealed', encryption: true },
  ])(
    'moves the coldest of $what values out above 80 %, until 70 %; they read the same, and come back',
    async ({ encryption }) => {
      const { tenant, caller } = await newTenant(app, { ...limited(100_000), encryption });
      const all = values(20, 3_000);
      await fill(caller, all);
      const etags = await Promise.all(
        [...all.keys()].map(async (key) => (await app.cache.head(caller, named(key)))?.etag),
      );
      for (const [i, key] of ['k15', 'k07', 'k11'].entries()) await setAccess(app, tenant.id, named(key), i - 9);
      const before = await meterOf(tenant.id);
      expect(Number(before.memory)).toBeGreaterThan(80_000);
      const { spilled } = await app.memoryBudget.run();
      expect(spilled).toBeGreaterThan(3);
      const after = await meterOf(tenant.id);
      expect(Number(after.memory)).toBeLessThanOrEqual(70_000);
      expect(Number(after.memory)).toBeGreaterThan(60_000);
      expect(Number(after.storage)).toBeGreaterThanOrEqual(spilled * 3_000);
      expect((await tierOf(tenant.id, 's')).slice(0, 3)).toEqual(['k15', 'k07', 'k11']);
      expect(await auditTenant(app, tenant.id)).toBe(20);
      expect(
        await Promise.all([...all.keys()].map(async (key) => (await app.cache.head(caller, named(key)))?.etag)),
      ).toEqual(etags);
      await same(caller, all);
      // What was read came back, up to 80 % of the memory.
      expect((await tierOf(tenant.id, 's')).length).toBeLessThan(spilled);
      expect(Number((await meterOf(tenant.id)).memory)).toBeLessThanOrEqual(80_000);
      expect(await auditTenant(app, tenant.id)).toBe(20);
      await same(caller, all);
    },
  );

  it('brings the latest back by schedule, while there is plenty of room', async () => {
    const { tenant, caller } = await newTenant(app, limited(100_000));
    const all = values(20, 3_000);
    await fill(caller, all);
    await app.memoryBudget.run();
    const cold = await tierOf(tenant.id, 's');
    expect(cold.length).toBeGreaterThan(3);
    expect(await app.memoryBudget.run()).toMatchObject({ warmed: 0 });
    for (const [i, key] of cold.entries()) await setAccess(app, tenant.id, named(key), i - 100);
    await gateState(app, tenant.id).setLimits({
      quotas: { memory_bytes: 125_000, storage_bytes: 1e9, operations_per_minute: 1e6, data_transfer_bytes: 1e9 },
    });
    const { warmed } = await app.memoryBudget.run();
    expect(warmed).toBeGreaterThan(0);
    expect(Number((await meterOf(tenant.id)).memory)).toBeLessThanOrEqual(75_000);
    const still = await tierOf(tenant.id, 's');
    expect(still).toEqual(cold.slice(0, cold.length - warmed));
    expect(await auditTenant(app, tenant.id)).toBe(20);
    await same(caller, all);
  });

  it('loses nothing while S3 does not answer, and still keeps the limit', async () => {
    const { tenant, caller } = await newTenant(app, limited(100_000));
    const all = values(20, 3_000);
    await fill(caller, all);
    const failing = await testApp({
      transport,
      env: env(app.config.cache.keyPrefix),
      failpoint: ({ port, phase }) => {
        if (port === 'blobs' && phase === 'before') throw new BlobUnavailableError('down');
      },
    });
    expect(await failing.memoryBudget.run()).toMatchObject({ spilled: 0, evicted: 0 });
    await same(caller, all);
    expect(await auditTenant(app, tenant.id)).toBe(20);
    await gateState(app, tenant.id).setLimits({
      quotas: { memory_bytes: 50_000, storage_bytes: 1e9, operations_per_minute: 1e6, data_transfer_bytes: 1e9 },
    });
    expect((await failing.memoryBudget.run()).evicted).toBeGreaterThan(5);
    expect(Number((await meterOf(tenant.id)).memory)).toBeLessThanOrEqual(50_000);
    await auditTenant(app, tenant.id);
  });

  it('moves neither small values nor what is about to end, nor more than the storage quota', async () => {
    const { tenant, caller } = await newTenant(app, limited(30_000, { storage_bytes: 2_000 }));
    await fill(caller, values(10, 500));
    for (const key of ['x', 'y']) await app.cache.set(caller, named(key), entryOf(randomBytes(2_500), 59_000));
    for (const key of ['z', 'zz']) await app.cache.set(caller, named(key), entryOf(randomBytes(1_500)));
    await gateState(app, tenant.id).setLimits({
      quotas: { memory_bytes: 22_000, storage_bytes: 2_000, operations_per_minute: 1e6, data_transfer_bytes: 1e9 },
    });
    expect(await app.memoryBudget.run()).toMatchObject({ spilled: 1 });
    expect(await tierOf(tenant.id, 's')).toEqual(['z']);
    expect(await auditTenant(app, tenant.id)).toBe(14);
  });

  it('leaves a value that is written while it is moved', async () => {
    const { tenant, caller } = await newTenant(app, limited(30_000));
    const all = values(6, 3_000);
    await fill(caller, all);
    const fresh = randomBytes(2_000);
    let written = false;
    const beside = await testApp({
      transport,
      env: env(app.config.cache.keyPrefix),
      failpoint: async ({ name, phase }) => {
        if (name !== 'move-cache-entry' || phase !== 'before' || written) return;
        written = true;
        for (const key of all.keys()) await app.cache.set(caller, named(key), entryOf(fresh));
      },
    });
    await beside.memoryBudget.run();
    expect(written).toBe(true);
    await same(caller, new Map([...all.keys()].map((key) => [key, fresh])));
    expect(await auditTenant(app, tenant.id)).toBe(6);
  });

  it('does not move anything of a tenant that chose no eviction', async () => {
    const { tenant, caller } = await newTenant(app, { ...limited(30_000), cache: { eviction_policy: 'none' } });
    await fill(caller, values(6, 3_000));
    await app.memoryBudget.run();
    expect(await tierOf(tenant.id, 's')).toEqual([]);
  });
});
