/** Access policies and requests for higher quotas, as an administrator handles them. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newUlid } from '../../lib/ids.ts';
import { MAX_DECIDED, MAX_OPEN } from '../../lib/tenants/quota-request-decision.ts';
import { newTenant, newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { auditedActions, keysOf } from '../support/tenant-state.ts';

const DENY_WRITES = {
  default: 'allow' as const,
  statements: [{ effect: 'deny' as const, actions: ['cache:write'], resources: ['cache/frozen/*'] }],
};
const put = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };

describe.each(TRANSPORTS)('policies of a tenant over %s [T3]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  it('are none at first, then what was set, and hold from the next request on', async () => {
    const { tenant, caller } = await newTenant(app);
    const frozen = { namespace: 'frozen', key: 'k' };
    await app.cache.set(caller, frozen, put);
    expect(await app.tenantPolicies.get(tenant.id)).toEqual({ policies: { default: 'allow', statements: [] }, rev: 1 });
    expect(await app.tenantPolicies.set(tenant.id, DENY_WRITES, {})).toEqual({ policies: DENY_WRITES, rev: 2 });
    expect(await app.tenantPolicies.get(tenant.id)).toEqual({ policies: DENY_WRITES, rev: 2 });
    await expect(app.cache.set(caller, frozen, put)).rejects.toMatchObject({ status: 403, code: 'access_denied' });
    expect(await app.cache.get(caller, frozen)).not.toBeNull();
    await app.cache.set(caller, { namespace: 'open', key: 'k' }, put);
    await app.tenantPolicies.set(tenant.id, { default: 'allow', statements: [] }, {});
    await app.cache.set(caller, frozen, put);
    expect((await auditedActions(app, tenant.id)).slice(2)).toEqual(['policies.set', 'policies.set']);
  });

  it('can be asked beforehand, and say which statement decides', async () => {
    const { tenant, caller } = await newTenant(app);
    const ask = (action: string, resource: string) =>
      app.accessCheck.validateAccess(tenant.id, { action, resource, keyId: caller.keyId });
    expect(await ask('cache:write', 'cache/frozen/k')).toEqual({ allowed: true, statement: null });
    await app.tenantPolicies.set(tenant.id, DENY_WRITES, {});
    expect(await ask('cache:write', 'cache/frozen/k')).toEqual({ allowed: false, statement: 0 });
    expect(await ask('cache:read', 'cache/frozen/k')).toEqual({ allowed: true, statement: null });
  });

  it('are not replaced by one who saw others', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    await app.tenantPolicies.set(id, DENY_WRITES, { ifMatch: [1] });
    const stale = app.tenantPolicies.set(id, { default: 'deny', statements: [] }, { ifMatch: [1] });
    await expect(stale).rejects.toMatchObject({ status: 412, code: 'precondition_failed' });
  });

  it('do not reach the log: only how many there are, and their digest', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    await app.tenantPolicies.set(id, DENY_WRITES, {});
    const pending = (await app.redis.send(['LRANGE', keysOf(app).auditPending(), 0, -1], { kind: 'read' })) as string[];
    const entry = pending.find((line) => line.includes(id) && line.includes('policies.set')) ?? '';
    expect(JSON.parse(entry).details).toEqual({
      default: 'allow',
      statements: 1,
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    expect(entry).not.toContain('frozen');
  });
});

describe.each(TRANSPORTS)('requests for higher quotas over %s [T10]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });
  const ask = (id: Parameters<App['tenants']['get']>[0], memory_bytes: number) =>
    app.quotaRequests.create(id, { quotas: { memory_bytes }, reason: 'more' });

  it('applies what is approved, in the step that closes the request', async () => {
    const { id, quotas } = await app.tenants.create(newTenantRequest({ quotas: { memory_bytes: 100 } }));
    const request = await ask(id, 200);
    expect(request).toMatchObject({ status: 'open', quotas: { memory_bytes: 200 }, reason: 'more' });
    expect((await app.tenants.get(id)).quotas).toEqual(quotas);
    const approved = await app.quotaRequests.approve(id, request.id);
    expect(approved).toMatchObject({ status: 'approved', decided_at: expect.any(String) });
    expect((await app.tenants.get(id)).quotas).toEqual({ ...quotas, memory_bytes: 200 });
    expect((await gateState(app, id).read('h')).split(',')[6]).toBe('200');
    expect((await auditedActions(app, id)).slice(1)).toEqual(['quota_request.create', 'quota_request.approve']);
    expect(await app.quotaRequests.approve(id, request.id)).toEqual(approved);
    const rejecting = app.quotaRequests.reject(id, request.id);
    await expect(rejecting).rejects.toMatchObject({ status: 409, code: 'quota_request_closed' });
  });

  it('lowers nothing that was raised meanwhile', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ quotas: { memory_bytes: 100 } }));
    const request = await ask(id, 200);
    await app.tenantAdmin.update(id, { quotas: { memory_bytes: 500 } }, {});
    await app.quotaRequests.approve(id, request.id);
    expect((await app.tenants.get(id)).quotas.memory_bytes).toBe(500);
  });

  it('decides each once, though approved and rejected at once', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ quotas: { memory_bytes: 100 } }));
    const request = await ask(id, 200);
    const both = await Promise.allSettled([
      app.quotaRequests.approve(id, request.id),
      app.quotaRequests.reject(id, request.id, { reason: 'no' }),
    ]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { items } = await app.quotaRequests.list(id, { limit: 10 });
    const granted = items[0]?.status === 'approved';
    expect((await app.tenants.get(id)).quotas.memory_bytes).toBe(granted ? 200 : 100);
  });

  it('refuses what is not higher, what is not there, and more than there is room for', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ quotas: { memory_bytes: 100 } }));
    await expect(ask(id, 100)).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
    const nowhere = app.quotaRequests.approve(id, `qreq-${newUlid(0)}`);
    await expect(nowhere).rejects.toMatchObject({ status: 404, code: 'quota_request_not_found' });
    const request = await ask(id, 101);
    const many = Array.from({ length: MAX_OPEN - 1 }, (_, i) => {
      const copy = { ...request, id: `qreq-${newUlid(i)}` };
      return [copy.id, JSON.stringify(copy)];
    });
    await app.redis.send(['HSET', keysOf(app).quotaRequests(id), ...many.flat()], { kind: 'write' });
    await expect(ask(id, 200)).rejects.toMatchObject({ status: 409, code: 'quota_request_limit_reached' });
    await app.quotaRequests.reject(id, request.id);
    expect((await ask(id, 200)).status).toBe('open');
  });

  it('keeps the last hundred that were decided, and lists by status and in pages', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ quotas: { memory_bytes: 100 } }));
    const request = await ask(id, 101);
    const closed = Array.from({ length: MAX_DECIDED }, (_, i) => {
      const copy = { ...request, id: `qreq-${newUlid(i)}`, status: 'rejected' };
      return [copy.id, JSON.stringify(copy)];
    });
    await app.redis.send(['HSET', keysOf(app).quotaRequests(id), ...closed.flat()], { kind: 'write' });
    await app.quotaRequests.reject(id, request.id);
    const first = await app.quotaRequests.list(id, { limit: 60, status: 'rejected' });
    const rest = await app.quotaRequests.list(id, { limit: 60, cursor: first.next_cursor ?? '' });
    const ids = [...first.items, ...rest.items].map((each) => each.id);
    expect(ids).toHaveLength(MAX_DECIDED);
    expect(ids).not.toContain(closed[0]?.[0]);
    expect(ids.at(-1)).toBe(request.id);
    expect((await app.quotaRequests.list(id, { limit: 60, status: 'open' })).items).toEqual([]);
  });
});
