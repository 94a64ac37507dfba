/** Flows that change a tenant or its keys, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { parseApiKey } from '../../../lib/gate/caller.ts';
import { newUlid, type TenantId } from '../../../lib/ids.ts';
import { createTenantChanges } from '../../../lib/tenants/tenant-change.ts';
import { createTenantReader } from '../../../lib/tenants/tenant-reader.ts';
import { newTenant, type TestTenant } from '../app.ts';
import { auditedActions, keysOf, outboxOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

/** A change of a tenant, and one of something it has. */
const CHANGE = ['read-tenant', 'change-tenant', 'publish-change', 'ack-audit'];
const READ_AGAIN = [...CHANGE, 'read-tenant'];

interface AdminFlow {
  readonly name: string;
  readonly calls: readonly string[];
  /** What it is to be found in the audit log as; once. Undefined: it changes nothing. */
  readonly action?: string;
  /** Leaves the tenant as the flow finds it. @returns what the flow needs of it. */
  before?(direct: App, made: TestTenant): Promise<string>;
  run(app: App, made: TestTenant, call: { ulid: string; signal: AbortSignal }, given: string): Promise<unknown>;
  verify?(direct: App, made: TestTenant, result: unknown): Promise<void>;
}

const adminFlow = ({ name, calls, action, before, run, verify }: AdminFlow): Flow => ({
  name,
  calls,
  async prepare(app, direct) {
    const made = await newTenant(direct);
    const given = (await before?.(direct, made)) ?? '';
    const known = await auditedActions(direct, made.tenant.id);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => run(app, made, { ulid, signal }, given),
      async verify(result) {
        await verify?.(direct, made, result);
        const told = (await auditedActions(direct, made.tenant.id)).slice(known.length);
        expect(told).toEqual(action === undefined ? [] : [action]);
        expect(await outboxOf(direct, made.tenant.id)).toBeNull();
      },
    };
  },
});

const status =
  (wanted: string) =>
  async (direct: App, { tenant }: TestTenant) =>
    expect((await direct.tenants.get(tenant.id)).status).toBe(wanted);

const askFor = (app: App, { tenant }: TestTenant, call: { ulid?: string; signal?: AbortSignal } = {}) =>
  app.quotaRequests.create(tenant.id, { quotas: { operations_per_minute: 2_000_000 }, reason: 'more' }, call);
const asked = async (direct: App, made: TestTenant) => (await askFor(direct, made)).id;

const changes: readonly AdminFlow[] = [
  {
    name: 'update tenant',
    calls: CHANGE,
    action: 'tenant.update',
    run: (app, { tenant }, call) => app.tenantAdmin.update(tenant.id, { plan: 'starter', name: 'New' }, call),
    async verify(direct, { tenant }, result) {
      const { rev, tenant: found } = await direct.tenants.getStored(tenant.id);
      expect({ rev, found }).toMatchObject({ rev: 2, found: { plan: 'starter', name: 'New' } });
      expect(result).toMatchObject({ rev: 2, tenant: found });
    },
  },
  {
    name: 'suspend tenant',
    calls: CHANGE,
    action: 'tenant.suspend',
    run: (app, { tenant }, call) => app.tenantAdmin.suspend(tenant.id, call),
    async verify(direct, made) {
      await status('suspended')(direct, made);
      await expect(direct.account.identify(made.caller)).rejects.toMatchObject({ code: 'tenant_suspended' });
    },
  },
  {
    name: 'delete tenant',
    calls: CHANGE,
    action: 'tenant.delete',
    run: (app, { tenant }, call) => app.tenantAdmin.remove(tenant.id, { ...call, undoMs: 60_000 }),
    verify: status('deleted'),
  },
  {
    name: 'undelete tenant',
    calls: CHANGE,
    action: 'tenant.undelete',
    async before(direct, { tenant }) {
      await direct.tenantAdmin.remove(tenant.id, { undoMs: null });
      return '';
    },
    run: (app, { tenant }, call) => app.tenantAdmin.undelete(tenant.id, call),
    verify: status('active'),
  },
  {
    name: 'set policies',
    calls: CHANGE,
    action: 'policies.set',
    run: (app, { tenant }, call) => app.tenantPolicies.set(tenant.id, { default: 'deny', statements: [] }, call),
    verify: async (direct, { tenant }) =>
      expect((await direct.tenantPolicies.get(tenant.id)).policies).toEqual({ default: 'deny', statements: [] }),
  },
  {
    name: 'create quota request',
    calls: READ_AGAIN,
    action: 'quota_request.create',
    run: askFor,
    verify: async (direct, { tenant }, result) =>
      expect((await direct.quotaRequests.list(tenant.id, { limit: 9 })).items).toEqual([result]),
  },
  {
    name: 'approve quota request',
    calls: READ_AGAIN,
    action: 'quota_request.approve',
    before: asked,
    run: (app, { tenant }, call, id) => app.quotaRequests.approve(tenant.id, id, call),
    verify: async (direct, { tenant }) =>
      expect((await direct.tenants.get(tenant.id)).quotas.operations_per_minute).toBe(2_000_000),
  },
  {
    name: 'reject quota request',
    calls: READ_AGAIN,
    action: 'quota_request.reject',
    before: asked,
    run: (app, { tenant }, call, id) => app.quotaRequests.reject(tenant.id, id, call),
    verify: async (_direct, _made, result) => expect(result).toMatchObject({ status: 'rejected' }),
  },
  {
    name: 'rotate key',
    calls: ['HGET', 'create-api-key', 'publish-change', 'ack-audit'],
    action: 'key.rotate',
    before: async (_direct, { key }) => key.split('_')[2] as string,
    run: (app, { tenant }, call, id) => app.apiKeys.rotate(tenant.id, id, { overlap_seconds: 60 }, call),
    async verify(direct, { tenant, caller }, result) {
      const { key, id } = result as { key: string; id: string };
      expect((await direct.account.identify(parseApiKey(key))).key_id).toBe(id);
      expect((await direct.account.identify(caller)).tenant_id).toBe(tenant.id);
      expect((await direct.apiKeyList.list(tenant.id, { limit: 9 })).items).toHaveLength(2);
    },
  },
];

const reads: readonly AdminFlow[] = [
  {
    name: 'preview deletion',
    calls: ['read-tenant'],
    run: (app, { tenant }, { signal }) => app.tenantAdmin.previewRemoval(tenant.id, { undoMs: null, signal }),
    verify: status('active'),
  },
  {
    name: 'list tenants',
    calls: ['list-tenants', 'read-tenants'],
    run: (app, _made, { signal }) => app.tenantList.list({ limit: 100, text: 'ada@' }, signal),
    verify: async (_direct, { tenant }, result) =>
      expect(result).toMatchObject({ items: expect.arrayContaining([tenant]) }),
  },
  {
    name: 'list keys',
    calls: ['HGETALL', 'HMGET'],
    run: (app, { tenant }, { signal }) => app.apiKeyList.list(tenant.id, { limit: 9 }, signal),
    verify: async (_direct, _made, result) => expect(result).toMatchObject({ items: [{ state: 'active' }] }),
  },
  {
    name: 'list quota requests',
    calls: ['read-tenant'],
    run: (app, { tenant }, { signal }) => app.quotaRequests.list(tenant.id, { limit: 9 }, signal),
    verify: async (_direct, _made, result) => expect(result).toEqual({ items: [], next_cursor: null }),
  },
];

/** A change that ended between its step and the telling of it. */
async function leaveUntold({ redis, ...app }: App, id: TenantId): Promise<void> {
  const keys = keysOf(app);
  const silent = { publish: async () => undefined, republish: async () => undefined };
  const changes = createTenantChanges({
    redis,
    keys,
    reader: createTenantReader({ redis, keys }),
    publisher: silent,
    now: Date.now,
  });
  await changes.change(id, {}, ({ stored }) => ({
    tenant: { ...stored.tenant, plan: 'starter' },
    action: 'tenant.update',
  }));
}

const publishLeft: Flow = {
  name: 'publish what is left',
  calls: ['ZRANGE', 'HMGET', 'GET', 'publish-change', 'ack-audit'],
  async prepare(app, direct) {
    const { tenant } = await newTenant(direct);
    await leaveUntold(direct, tenant.id);
    return {
      run: (signal) => app.unpublished.publishLeft(signal),
      async verify() {
        expect((await auditedActions(direct, tenant.id)).at(-1)).toBe('tenant.update');
        expect(await outboxOf(direct, tenant.id)).toBeNull();
        expect((await direct.tenantList.list({ limit: 100, plan: 'starter' })).items.map(({ id }) => id)).toContain(
          tenant.id,
        );
      },
    };
  },
};

export const adminFlows: readonly Flow[] = [...changes.map(adminFlow), ...reads.map(adminFlow), publishLeft];
