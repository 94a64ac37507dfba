/** Tenants: made whole or not at all, never more than the deployment may hold. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { newTenant, newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { ownRedis } from '../support/redis-own.ts';
import { countTenants, keysOf, tenantState } from '../support/tenant-state.ts';

const newPrefix = () => `t-${newUlid(Date.now())}`;

describe.each(TRANSPORTS)('tenants over %s [T1]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  it('gives back the tenant it created, with the defaults for what was not said', async () => {
    const request = newTenantRequest({
      plan: 'starter',
      settings: { region: 'eu', n: 1 },
      quotas: { memory_bytes: 5 },
    });
    const created = await app.tenants.create(request);
    const { defaultQuotas, isolationLevel } = app.config.tenant;
    expect(created).toMatchObject({
      name: 'Acme',
      owner: request.owner,
      plan: 'starter',
      encryption: false,
      settings: { region: 'eu', n: 1 },
      isolation_level: isolationLevel,
      quotas: { ...defaultQuotas, memory_bytes: 5 },
      status: 'active',
    });
    expect(created.id).toMatch(/^tenant-[0-9a-z]{26}$/);
    expect(Date.parse(created.created_at)).toBeGreaterThan(Date.now() - 60_000);
    expect(created.updated_at).toBe(created.created_at);
    expect(await app.tenants.get(created.id)).toEqual(created);
  });

  it('lets the gate hold the very quotas the record says, from the first request on', async () => {
    const quotas = { memory_bytes: 1, storage_bytes: 2, operations_per_minute: 30, data_transfer_bytes: 4 };
    const { tenant, caller } = await newTenant(app, { quotas });
    expect((await app.account.identify(caller)).limits).toEqual({ ...quotas, burst: 3 });
    expect(tenant.quotas).toEqual(quotas);
  });

  it('does not know a tenant nobody created', async () => {
    const nobody = `tenant-${newUlid(0)}` as TenantId;
    await expect(app.tenants.get(nobody)).rejects.toMatchObject({ status: 404, code: 'tenant_not_found' });
  });

  it('creates in three round trips', async () => {
    const calls: string[] = [];
    const counting = await testApp({
      transport,
      failpoint: ({ phase, name }) => void (phase === 'before' && calls.push(name)),
    });
    await app.tenants.create(newTenantRequest());
    await counting.tenants.create(newTenantRequest());
    expect(calls).toEqual(['reserve-tenant', 'create-tenant', 'confirm-tenant']);
  });

  it('creates one tenant for one operation, however often it runs, and does not reset it', async () => {
    const ulid = newUlid(Date.now());
    const first = await app.tenants.create(newTenantRequest(), { ulid });
    const gate = gateState(app, first.id);
    await gate.setMeter({ ops: 7n });
    const again = await Promise.all(
      [1, 2, 3].map((n) => app.tenants.create(newTenantRequest({ name: `${n}` }), { ulid })),
    );
    expect(again).toEqual([first, first, first]);
    expect(await gate.meter()).toMatchObject({ ops: 7n });
  });

  describe('places', () => {
    const places = async (max: number) =>
      testApp({
        transport,
        env: { PERSISTENCE_TENANT_MAX_TENANTS: `${max}`, PERSISTENCE_CACHE_KEY_PREFIX: newPrefix() },
      });
    const create = (at: App) => at.tenants.create(newTenantRequest());

    it('refuses one tenant more than the deployment may hold, and creates nothing', async () => {
      const full = await places(3);
      for (let i = 0; i < 3; i++) await create(full);
      const ulid = newUlid(Date.now());
      const refused = full.tenants.create(newTenantRequest(), { ulid });
      const problem = { status: 409, code: 'tenant_limit_reached', details: { used: 3, limit: 3 } };
      await expect(refused).rejects.toMatchObject(problem);
      expect(await countTenants(full)).toBe(3);
      expect(await tenantState(full, `tenant-${ulid}` as TenantId)).toEqual({
        gate: {},
        record: null,
        index: [],
        keptIndex: [],
      });
    });

    it('gives the last place to one of 20 that race for it', async () => {
      const full = await places(4);
      for (let i = 0; i < 3; i++) await create(full);
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => create(full)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await countTenants(full)).toBe(4);
    });

    it('lists every tenant once, by pages, in order of creation', async () => {
      const at = await places(10);
      const ids: TenantId[] = [];
      for (let i = 0; i < 5; i++) ids.push((await at.tenants.create(newTenantRequest(), { ulid: newUlid(i) })).id);
      const first = await at.tenants.listIds({ limit: 2 });
      const rest = await at.tenants.listIds({ after: first.at(-1), limit: 10 });
      expect([...first, ...rest]).toEqual(ids);
    });

    it('leaves a creation under way alone, and ends one that was abandoned', async () => {
      const at = await places(10);
      const reservations = keysOf(at).tenantReservations();
      const reserve = (id: string, ageMs: number) =>
        at.redis.send(['HSET', reservations, id, Date.now() - ageMs], { kind: 'write' });
      await reserve(`tenant-${newUlid(1)}`, 10_000);
      await reserve(`tenant-${newUlid(2)}`, 130_000);
      const whole = await create(at);
      await reserve(whole.id, 130_000);
      expect(await at.tenants.repair()).toEqual({ finished: 1, released: 1 });
      expect(await countTenants(at)).toBe(2);
      expect(await at.tenants.repair()).toEqual({ finished: 0, released: 0 });
      expect(await at.tenants.listIds({ limit: 10 })).toEqual([whole.id]);
    });
  });
});

it('the 10,001st tenant is refused [T1]', async () => {
  const redis = await ownRedis();
  const app = await testApp({ env: { REDIS_URL: redis.url } });
  expect(app.config.tenant.maxTenants).toBe(10_000);
  const ids = Array.from({ length: 9_999 }, (_, i) => [0, `tenant-${newUlid(i)}`]).flat();
  await app.redis.send(['ZADD', keysOf(app).tenants(), ...ids], { kind: 'write' });
  await app.tenants.create(newTenantRequest());
  await expect(app.tenants.create(newTenantRequest())).rejects.toMatchObject({ code: 'tenant_limit_reached' });
  expect(await countTenants(app)).toBe(10_000);
});
