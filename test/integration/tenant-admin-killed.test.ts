/** An instance that ends between any two steps of a change: what it made holds, and the next clean-up tells of it, once. */
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { newTenant, testApp } from '../support/app.ts';
import { auditedActions, keysOf, outboxOf } from '../support/tenant-state.ts';

/** From the named moment on nothing the instance does reaches anybody, as if it had been killed there. */
async function dyingApp(env: Readonly<Record<string, string>>, name: string, phase: 'before' | 'after'): Promise<App> {
  let dead = false;
  return testApp({
    env,
    failpoint: (call) => {
      dead ||= call.name === name && call.phase === phase;
      if (dead) throw new Error('the instance is gone');
    },
  });
}

const MOMENTS = [
  { name: 'read-tenant', phase: 'after', made: false },
  { name: 'change-tenant', phase: 'before', made: false },
  { name: 'change-tenant', phase: 'after', made: true },
  { name: 'publish-change', phase: 'before', made: true },
  { name: 'publish-change', phase: 'after', made: true },
  { name: 'ack-audit', phase: 'before', made: true },
  { name: 'ack-audit', phase: 'after', made: true },
] as const;

describe('an instance that ends while it changes a tenant [A4 T11]', () => {
  it.each(MOMENTS)('$phase $name', async ({ name, phase, made }) => {
    const env = { PERSISTENCE_CACHE_KEY_PREFIX: `k-${newUlid(Date.now())}` };
    const app = await testApp({ env });
    const { tenant } = await newTenant(app);
    const dying = await dyingApp(env, name, phase);
    const ulid = newUlid(Date.now());
    // After the change is published, an answer may still have gone out.
    await dying.tenantAdmin.update(tenant.id, { plan: 'starter' }, { ulid }).catch(() => undefined);

    expect((await app.tenants.get(tenant.id)).plan).toBe(made ? 'starter' : 'free');
    await app.unpublished.publishLeft();
    await app.unpublished.publishLeft();
    const actions = ['tenant.create', 'key.create', ...(made ? ['tenant.update'] : [])];
    expect(await auditedActions(app, tenant.id)).toEqual(actions);
    expect(await outboxOf(app, tenant.id)).toBeNull();
    const listed = await app.tenantList.list({ limit: 10, plan: made ? 'starter' : 'free' });
    expect(listed.items.map(({ id }) => id)).toEqual([tenant.id]);

    const again = await app.tenantAdmin.update(tenant.id, { plan: 'starter' }, { ulid });
    expect(again).toMatchObject({ rev: 2, tenant: { plan: 'starter' } });
    expect((await auditedActions(app, tenant.id)).filter((action) => action === 'tenant.update')).toHaveLength(1);
  });

  it('tells every entry that waits, in the order of the changes', async () => {
    const env = { PERSISTENCE_CACHE_KEY_PREFIX: `k-${newUlid(Date.now())}` };
    const app = await testApp({ env });
    const { tenant } = await newTenant(app);
    for (const change of ['suspend', 'resume', 'suspend'] as const) {
      const dying = await dyingApp(env, 'publish-change', 'before');
      await expect(dying.tenantAdmin[change](tenant.id, {})).rejects.toMatchObject({ code: 'outcome_unknown' });
    }
    expect(await app.unpublished.publishLeft()).toEqual({ published: 1 });
    const told = ['tenant.create', 'key.create', 'tenant.suspend', 'tenant.resume', 'tenant.suspend'];
    expect(await auditedActions(app, tenant.id)).toEqual(told);
  });

  it('tells of a creation that repair had to finish', async () => {
    const env = { PERSISTENCE_CACHE_KEY_PREFIX: `k-${newUlid(Date.now())}` };
    const app = await testApp({ env });
    const dying = await dyingApp(env, 'create-tenant', 'after');
    await expect(newTenant(dying)).rejects.toThrow();
    const later = await testApp({ env });
    expect(await later.tenants.repair()).toEqual({ finished: 0, released: 0 });
    const { redis } = app;
    const reserved = keysOf(app).tenantReservations();
    const [id, text] = (await redis.send(['HGETALL', reserved], { kind: 'read' })) as [TenantId, string];
    await redis.send(['HSET', reserved, id, text.replace(/^\d+/, `${Date.now() - 130_000}`)], { kind: 'write' });
    expect(await app.tenants.repair()).toEqual({ finished: 1, released: 0 });
    expect(await auditedActions(app, id)).toEqual(['tenant.create']);
    expect((await app.tenantList.list({ limit: 10 })).items).toHaveLength(1);
  });
});
