/** What an administrator does with a tenant: whole or not at all, in force from the next request on, logged once. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { unpackLimits } from '../../lib/gate/gate-fields.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { newTenant, newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { auditedActions, keysOf, outboxOf } from '../support/tenant-state.ts';

const nobody = `tenant-${newUlid(0)}` as TenantId;
const entry = { namespace: 'ns', key: 'k' };
const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };

describe.each(TRANSPORTS)('changing a tenant over %s [A4 T1]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const limitsOf = async (id: TenantId) => unpackLimits(await gateState(app, id).read('h'));

  it('changes what is named, leaves the rest, and removes what is null', async () => {
    const alert_webhook_url = 'https://hooks.example/a';
    const made = await app.tenants.create(newTenantRequest({ alert_webhook_url, settings: { a: 1 } }));
    const changed = await app.tenantAdmin.update(made.id, { name: 'New', quotas: { memory_bytes: 7 } }, {});
    expect(changed).toMatchObject({ rev: 2, tenant: { name: 'New', alert_webhook_url, settings: { a: 1 } } });
    expect(changed.tenant.quotas).toEqual({ ...made.quotas, memory_bytes: 7 });
    const removed = await app.tenantAdmin.update(made.id, { alert_webhook_url: null }, {});
    expect(removed.tenant).not.toHaveProperty('alert_webhook_url');
    expect(await app.tenants.get(made.id)).toEqual(removed.tenant);
  });

  it('holds from the next request on, for limits, suspension and its end', async () => {
    const { tenant, caller } = await newTenant(app, { quotas: { operations_per_minute: 1_000 } });
    const quotas = { memory_bytes: 1, storage_bytes: 2, operations_per_minute: 3_000, data_transfer_bytes: 4 };
    await app.tenantAdmin.update(tenant.id, { quotas, rate_limit: { burst: 17 } }, {});
    expect(await limitsOf(tenant.id)).toMatchObject({ quotas, burst: 17, generation: 1, contextVersion: 1 });
    expect((await app.account.identify(caller)).limits).toMatchObject(quotas);
    await app.tenantAdmin.suspend(tenant.id, {});
    await expect(app.account.identify(caller)).rejects.toMatchObject({ status: 403, code: 'tenant_suspended' });
    await app.tenantAdmin.resume(tenant.id, {});
    expect((await app.account.identify(caller)).tenant_id).toBe(tenant.id);
    expect(await auditedActions(app, tenant.id)).toEqual([
      'tenant.create',
      'key.create',
      'tenant.update',
      'tenant.suspend',
      'tenant.resume',
    ]);
    expect(await outboxOf(app, tenant.id)).toBeNull();
  });

  it('leaves a tenant alone that is so already: no new revision, nothing logged', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ settings: { b: 1, a: 2 } }));
    const same = await app.tenantAdmin.update(id, { plan: 'free', settings: { a: 2, b: 1 } }, {});
    expect(same.rev).toBe(1);
    await app.tenantAdmin.suspend(id, {});
    expect((await app.tenantAdmin.suspend(id, {})).rev).toBe(2);
    expect(await auditedActions(app, id)).toEqual(['tenant.create', 'tenant.suspend']);
  });

  it('makes one of two updates from one revision, and tells the other', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    const both = await Promise.allSettled(
      ['a', 'b'].map((name) => app.tenantAdmin.update(id, { name }, { ifMatch: [1] })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = both.find((each) => each.status === 'rejected');
    expect(refused?.reason).toMatchObject({ status: 412, code: 'precondition_failed' });
    expect((await app.tenants.getStored(id)).rev).toBe(2);
  });

  it('loses none of 20 updates that come at once', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ settings: {} }));
    const quotas = ['memory_bytes', 'storage_bytes', 'data_transfer_bytes', 'operations_per_minute'];
    const updates = Array.from({ length: 20 }, (_, i) => ({ [quotas[i % 4] as string]: 1_000 + i }));
    await Promise.all(
      updates.map((each) => app.tenantAdmin.update(id, { quotas: each, name: `${Object.values(each)[0]}` }, {})),
    );
    const { rev, tenant } = await app.tenants.getStored(id);
    expect(rev).toBe(21);
    for (const [i, name] of quotas.entries())
      expect(((tenant.quotas as Record<string, number>)[name] as number) % 4).toBe(i % 4);
    expect((await limitsOf(id)).quotas).toEqual(tenant.quotas);
    expect((await auditedActions(app, id)).filter((action) => action === 'tenant.update')).toHaveLength(20);
  });

  it('answers a repeated operation, and does not make it again', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    const ulid = newUlid(Date.now());
    const first = await app.tenantAdmin.suspend(id, { ulid });
    expect(await app.tenantAdmin.suspend(id, { ulid })).toEqual(first);
    expect(await auditedActions(app, id)).toEqual(['tenant.create', 'tenant.suspend']);
  });

  it('refuses a quota below what is in use, unless it is forced', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.set(caller, entry, value);
    const quotas = { memory_bytes: 10 };
    const refused = { status: 409, code: 'quota_below_usage', details: { resource: 'memory_bytes', limit: 10 } };
    await expect(app.tenantAdmin.update(tenant.id, { quotas }, {})).rejects.toMatchObject(refused);
    expect((await app.tenants.getStored(tenant.id)).rev).toBe(1);
    expect((await app.tenantAdmin.update(tenant.id, { quotas }, { force: true })).tenant.quotas).toMatchObject(quotas);
    // Already below: other fields change as ever.
    expect((await app.tenantAdmin.update(tenant.id, { name: 'B' }, {})).tenant.name).toBe('B');
  });

  it('keeps limits of single routes in the gate, and takes them away again', async () => {
    const routes = { getEntry: { operations_per_minute: 60, burst: 2 } };
    const { tenant, caller } = await newTenant(app, { rate_limit: { burst: 9, routes } });
    const gate = gateState(app, tenant.id);
    expect(await gate.read('l:getEntry')).toBe('l1,60,2,0,0');
    expect((await limitsOf(tenant.id)).burst).toBe(9);
    await gate.write('l:getEntry', 'l1,60,2,7,8');
    const more = { getEntry: { operations_per_minute: 120 }, putEntry: { operations_per_minute: 5 } };
    await app.tenantAdmin.update(tenant.id, { rate_limit: { routes: more } }, {});
    expect(await gate.read('l:getEntry')).toBe('l1,120,12,7,8');
    expect(await gate.read('l:putEntry')).toBe('l1,5,1,0,0');
    await app.tenantAdmin.update(tenant.id, { rate_limit: null }, {});
    expect([await gate.read('l:getEntry'), await gate.read('l:putEntry')]).toEqual([null, null]);
    expect((await app.account.identify(caller)).limits.burst).toBe(100_000);
  });

  it('marks where a plan ended, with the counters as they stood', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.account.identify(caller);
    const m = await gateState(app, tenant.id).read('m');
    await app.tenantAdmin.update(tenant.id, { plan: 'professional' }, {});
    const fields = (await app.redis.send(['HGETALL', keysOf(app).billing(tenant.id)], { kind: 'read' })) as string[];
    const marks = fields.flatMap((name, i) => (name.startsWith('s:') ? [[name, fields[i + 1]]] : []));
    expect(marks).toEqual([[expect.stringMatching(/^s:\d{13}$/), `free\n${m}`]]);
  });

  it('knows no tenant that nobody made, and none that was erased', async () => {
    await expect(app.tenantAdmin.suspend(nobody, {})).rejects.toMatchObject({ status: 404, code: 'tenant_not_found' });
    const ulid = newUlid(Date.now());
    const id = `tenant-${ulid}` as TenantId;
    await app.redis.send(['SET', keysOf(app).erased(id), '1'], { kind: 'write' });
    const asks = [
      () => app.tenants.get(id),
      () => app.tenantAdmin.resume(id, {}),
      () => app.tenants.create(newTenantRequest(), { ulid }),
    ];
    for (const ask of asks) await expect(ask()).rejects.toMatchObject({ status: 410, code: 'tenant_erased' });
  });
});

describe('deleting a tenant [A5 T9]', () => {
  let app: App;
  beforeAll(async () => {
    app = await testApp();
  });

  it('says what would be erased, and changes nothing', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.set(caller, entry, value);
    const before = await app.tenants.getStored(tenant.id);
    const preview = await app.tenantAdmin.previewRemoval(tenant.id, { undoMs: null });
    expect(preview).toMatchObject({ dry_run: true, erases: { entries: 1, storage_bytes: 0, api_keys: 1 } });
    expect(preview.erases.memory_bytes).toBeGreaterThan(0);
    expect(await app.tenants.getStored(tenant.id)).toEqual(before);
    expect((await app.account.identify(caller)).tenant_id).toBe(tenant.id);
  });

  it('refuses its keys at once, can be undone, and then is as it was', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.set(caller, entry, value);
    const gone = await app.tenantAdmin.remove(tenant.id, { undoMs: null });
    expect(gone).toMatchObject({ status: 'deleted', dry_run: false });
    expect(Date.parse(gone.erase_at) - Date.parse(gone.deleted_at)).toBe(7 * 86_400_000);
    await expect(app.account.identify(caller)).rejects.toMatchObject({ status: 403, code: 'tenant_deleted' });
    const pending = { status: 409, code: 'deletion_pending' };
    await expect(app.tenantAdmin.update(tenant.id, { name: 'x' }, {})).rejects.toMatchObject(pending);
    await expect(app.tenantAdmin.suspend(tenant.id, {})).rejects.toMatchObject(pending);
    await expect(app.apiKeys.create(tenant.id, { scopes: ['*'], expires_at: null })).rejects.toMatchObject(pending);
    const { tenant: back } = await app.tenantAdmin.undelete(tenant.id, {});
    expect(back).toEqual({ ...tenant, updated_at: back.updated_at });
    expect(await app.cache.get(caller, entry)).toMatchObject({ value: value.value });
  });

  it('stays deleted when deleted again, and is erased at the sooner of the two times', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    const first = await app.tenantAdmin.remove(id, { undoMs: null });
    expect(await app.tenantAdmin.remove(id, { undoMs: null })).toEqual(first);
    const sooner = await app.tenantAdmin.remove(id, { undoMs: 60_000 });
    expect(Date.parse(sooner.erase_at)).toBeLessThan(Date.parse(first.erase_at));
    expect((await app.tenantAdmin.remove(id, { undoMs: 120_000 })).erase_at).toBe(sooner.erase_at);
    expect(sooner.deleted_at).toBe(first.deleted_at);
    const tooLong = app.tenantAdmin.remove(id, { undoMs: 7 * 86_400_000 + 1 });
    await expect(tooLong).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('brings a suspended tenant back suspended', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    await app.tenantAdmin.suspend(id, {});
    await app.tenantAdmin.remove(id, { undoMs: null });
    expect((await app.tenantAdmin.undelete(id, {})).tenant.status).toBe('suspended');
  });

  it('is not undone where there is nothing to undo, nor when the time is over', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    await expect(app.tenantAdmin.undelete(id, {})).rejects.toMatchObject({ status: 409, code: 'tenant_not_deleted' });
    await app.tenantAdmin.remove(id, { undoMs: 0 });
    await expect(app.tenantAdmin.undelete(id, {})).rejects.toMatchObject({ status: 410, code: 'tenant_erased' });
  });
});
