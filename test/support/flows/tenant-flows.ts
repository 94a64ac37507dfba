/** Flows of administration, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { parseApiKey } from '../../../lib/gate/caller.ts';
import { newTenantId, newUlid } from '../../../lib/ids.ts';
import { revocationBlob } from '../../../lib/keys.ts';
import { newTenant, newTenantRequest } from '../app.ts';
import { auditedActions, keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

/** The tenant's own place and no reservation; its record and whole gate. */
async function verifyTenant(direct: App, id: ReturnType<typeof newTenantId>): Promise<void> {
  const keys = keysOf(direct);
  const [place, reserved, fields] = await direct.redis.sendAll(
    [
      ['ZSCORE', keys.tenants(), id],
      ['HEXISTS', keys.tenantReservations(), id],
      ['HKEYS', keys.gate(id)],
    ],
    { kind: 'read' },
  );
  expect([place, reserved]).toEqual(['0', 0]);
  // Redis keeps fields in order only while they are short.
  expect(new Set(fields as readonly string[])).toEqual(new Set(['h', 'm', 'x']));
  expect((await direct.tenants.get(id)).id).toBe(id);
  expect(await auditedActions(direct, id)).toEqual(['tenant.create']);
  expect((await direct.tenantList.list({ limit: 100, plan: 'free' })).items.map((tenant) => tenant.id)).toContain(id);
}

const createTenant: Flow = {
  name: 'create tenant',
  calls: ['reserve-tenant', 'create-tenant', 'confirm-tenant'],
  async prepare(app, direct) {
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.tenants.create(newTenantRequest(), { ulid, signal }),
      verify: () => verifyTenant(direct, newTenantId(ulid)),
    };
  },
};

const idempotentCall: Flow = {
  name: 'idempotent call',
  calls: ['begin-idempotent', 'reserve-tenant', 'create-tenant', 'confirm-tenant', 'end-idempotent'],
  async prepare(app, direct) {
    const [caller, idempotencyKey] = ['somebody', newUlid(Date.now())];
    const operations = new Set<string>();
    const call = { caller, idempotencyKey, route: 'POST /admin/tenants', body: '{}', leaseMs: 20 };
    const work = async (ulid: string, signal: AbortSignal) => {
      operations.add(ulid);
      return { status: 201, data: await app.tenants.create(newTenantRequest(), { ulid, signal }) };
    };
    return {
      run: (signal) =>
        app.idempotency.run({ ...call, operationId: newUlid(Date.now()), signal }, (ulid) => work(ulid, signal)),
      async verify(result) {
        // A call forgotten because nothing had been done began anew: at most the last operation made a tenant.
        const made = await direct.redis.sendAll(
          [...operations].map((ulid) => ['ZSCORE', keysOf(direct).tenants(), newTenantId(ulid)]),
          { kind: 'read' },
        );
        expect(made.filter((score) => score !== null)).toHaveLength(1);
        await verifyTenant(direct, (result as { data: { id: ReturnType<typeof newTenantId> } }).data.id);
      },
    };
  },
};

const repairTenants: Flow = {
  name: 'repair tenants',
  calls: ['HGETALL', 'GET', 'confirm-tenant'],
  async prepare(app, direct) {
    const { id } = await direct.tenants.create(newTenantRequest());
    const keys = keysOf(direct);
    await direct.redis.send(['ZREM', keys.tenants(), id], { kind: 'write' });
    await direct.redis.send(['HSET', keys.tenantReservations(), id, Date.now() - 130_000], { kind: 'write' });
    return { run: () => app.tenants.repair(), verify: () => verifyTenant(direct, id) };
  },
};

const getTenant: Flow = {
  name: 'get tenant',
  calls: ['GET'],
  async prepare(app, direct) {
    const tenant = await direct.tenants.create(newTenantRequest());
    return {
      run: (signal) => app.tenants.get(tenant.id, { signal }),
      verify: async (result) => expect(result).toEqual(tenant),
    };
  },
};

const createKey: Flow = {
  name: 'create key',
  calls: ['create-api-key', 'publish-change', 'ack-audit'],
  async prepare(app, direct) {
    const { id } = await direct.tenants.create(newTenantRequest());
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.apiKeys.create(id, { scopes: ['*'], expires_at: null }, { ulid, signal }),
      async verify(result) {
        const { key } = result as { key: string };
        expect((await direct.account.identify(parseApiKey(key))).tenant_id).toBe(id);
        const fields = (await direct.redis.send(['HKEYS', keysOf(direct).gate(id)], { kind: 'read' })) as string[];
        expect(fields.filter((field) => field.startsWith('k:'))).toHaveLength(1);
        expect(await direct.redis.send(['HLEN', keysOf(direct).apiKeys(id)], { kind: 'read' })).toBe(1);
      },
    };
  },
};

const revokeKey: Flow = {
  name: 'revoke key',
  calls: ['revoke-api-key', 'blobs put', 'publish-change', 'ack-audit'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    const { id, key } = await direct.apiKeys.create(tenant.id, { scopes: ['*'], expires_at: null });
    return {
      run: () => app.apiKeys.revoke(tenant.id, id),
      async verify() {
        await expect(direct.account.identify(parseApiKey(key))).rejects.toMatchObject({ code: 'key_revoked' });
        expect(await direct.blobs.head(revocationBlob(tenant.id, id))).not.toBeNull();
        expect((await direct.account.identify(caller)).tenant_id).toBe(tenant.id);
      },
    };
  },
};

export const tenantFlows: readonly Flow[] = [
  createTenant,
  idempotentCall,
  repairTenants,
  getTenant,
  createKey,
  revokeKey,
];
