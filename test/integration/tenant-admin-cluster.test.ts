/** Administration on a Cluster: a tenant and the deployment's list lie in slots of their own, and pages span all nodes. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { newTenant, newTenantRequest } from '../support/app.ts';
import { useClusterApp } from '../support/cluster-app.ts';
import { auditedActions, outboxOf } from '../support/tenant-state.ts';

const clusterApp = useClusterApp();
let app: App;
beforeAll(() => {
  app = clusterApp();
});

describe('administration on a Cluster [T1 T2 T11]', () => {
  it('changes a tenant and its keys, and tells the list and the log', async () => {
    const { tenant, key } = await newTenant(app);
    await app.tenantAdmin.update(tenant.id, { plan: 'starter' }, {});
    await app.tenantPolicies.set(tenant.id, { default: 'allow', statements: [] }, {});
    const { id } = await app.quotaRequests.create(tenant.id, {
      quotas: { operations_per_minute: 2_000_000 },
      reason: 'x',
    });
    await app.quotaRequests.approve(tenant.id, id);
    const fresh = await app.apiKeys.rotate(tenant.id, key.split('_')[2] as string, { overlap_seconds: 60 });
    expect((await app.account.identify(parseApiKey(fresh.key))).limits.operations_per_minute).toBe(2_000_000);
    await app.tenantAdmin.remove(tenant.id, { undoMs: null });
    expect(await auditedActions(app, tenant.id)).toEqual([
      'tenant.create',
      'key.create',
      'tenant.update',
      'quota_request.create',
      'quota_request.approve',
      'key.rotate',
      'tenant.delete',
    ]);
    expect(await outboxOf(app, tenant.id)).toBeNull();
    const found = await app.tenantList.list({ limit: 10, plan: 'starter', status: 'deleted' });
    expect(found.items.map((each) => each.id)).toEqual([tenant.id]);
  });

  it('lists tenants of every node on one page', async () => {
    const made = await Promise.all(Array.from({ length: 30 }, () => app.tenants.create(newTenantRequest())));
    const { items } = await app.tenantList.list({ limit: 100 });
    expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    expect((await app.unpublished.publishLeft()).published).toBe(0);
  });
});
