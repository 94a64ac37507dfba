/** A tenant's settings of its sessions: kept with the tenant, and told to each instance with its next request. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { unpackContextData } from '../../lib/gate/context-format.ts';
import { unpackLimits } from '../../lib/gate/gate-fields.ts';
import type { TenantId } from '../../lib/ids.ts';
import { verifyAccess } from '../../lib/redis/bindings/gate-scripts.ts';
import { sessionSettings } from '../../lib/sessions/session-settings.ts';
import { newTenant, newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';

const SETTINGS = {
  timeout_seconds: 900,
  max_lifetime_seconds: 86_400,
  spill_threshold_ratio: 0.65,
  max_hot_bytes: 1_048_576,
} as const;
const SET = { timeoutMs: 900_000, maxLifetimeMs: 86_400_000, thresholdRatio: 0.65, maxHotBytes: 1_048_576 };
const BY_DEFAULT = { timeoutMs: 1_800_000, maxLifetimeMs: 2_592_000_000, thresholdRatio: 0.8, maxHotBytes: null };

describe.each(TRANSPORTS)('settings of sessions over %s [A1 A4 S1 P6]', (transport) => {
  let app: App;
  let other: App;
  beforeAll(async () => {
    [app, other] = await Promise.all([testApp({ transport }), testApp({ transport })]);
  });

  /** As an instance has them that serves a request of the tenant now. */
  const known = async (instance: App, caller: Caller) => {
    const ask = { script: verifyAccess, scope: 'sessions:read', kind: 'read', keys: () => ({}), args: () => ({}) };
    const { context } = await instance.gate.run(caller, { ...ask, kind: 'read' });
    return sessionSettings(context, instance.config);
  };
  const stored = async (id: TenantId) => {
    const gate = gateState(app, id);
    const { contextVersion } = unpackLimits(await gate.read('h'));
    return { version: contextVersion, choices: unpackContextData(await gate.read('x')).sessions };
  };

  it('are none unless named, and are kept from the creation on', async () => {
    const plain = await app.tenants.create(newTenantRequest());
    expect(plain).not.toHaveProperty('sessions');
    expect(await stored(plain.id)).toEqual({ version: 1, choices: {} });
    const { tenant, caller } = await newTenant(app, { sessions: SETTINGS });
    expect(tenant.sessions).toEqual(SETTINGS);
    expect((await app.tenants.get(tenant.id)).sessions).toEqual(SETTINGS);
    expect(await stored(tenant.id)).toEqual({ version: 1, choices: SETTINGS });
    expect(await known(app, caller)).toMatchObject(SET);
  });

  it('reach every instance with its next request, replaced as a whole, and null takes them away', async () => {
    const { tenant, caller } = await newTenant(app, { cache: { eviction_policy: 'none' } });
    const both = async (expected: object) => {
      for (const instance of [app, other]) expect(await known(instance, caller)).toMatchObject(expected);
    };
    await both(BY_DEFAULT);
    await app.tenantAdmin.update(tenant.id, { sessions: SETTINGS }, {});
    await both(SET);
    await app.tenantAdmin.update(tenant.id, { sessions: { timeout_seconds: 60 } }, {});
    await both({ ...BY_DEFAULT, timeoutMs: 60_000 });
    const { tenant: after } = await app.tenantAdmin.update(tenant.id, { sessions: null }, {});
    expect(after).not.toHaveProperty('sessions');
    expect(after.cache).toEqual({ eviction_policy: 'none' });
    expect(await stored(tenant.id)).toEqual({ version: 4, choices: {} });
    await both(BY_DEFAULT);
  });

  it('are told again only when they change', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ sessions: SETTINGS }));
    const turned = Object.fromEntries(Object.entries(SETTINGS).reverse());
    expect((await app.tenantAdmin.update(id, { sessions: turned }, {})).rev).toBe(1);
    await app.tenantAdmin.update(id, { name: 'New' }, {});
    expect(await stored(id)).toEqual({ version: 1, choices: SETTINGS });
    await app.tenantAdmin.update(id, { cache: { eviction_policy: 'none' } }, {});
    expect(await stored(id)).toEqual({ version: 2, choices: SETTINGS });
  });

  it('stay through whatever else happens to the tenant', async () => {
    const { tenant, caller } = await newTenant(app, { sessions: SETTINGS });
    const { id } = tenant;
    const denied = { effect: 'deny' as const, actions: ['sessions:*'], resources: ['sessions/x/*'] };
    const happenings: readonly (() => Promise<unknown>)[] = [
      () => app.tenantAdmin.update(id, { encryption: true, quotas: { memory_bytes: 5_000_000 } }, {}),
      () => app.keyRotation.rotate(id, {}),
      () => app.tenantAdmin.update(id, { encryption: false, cache: { eviction_policy: 'lru' } }, {}),
      () => app.tenantPolicies.set(id, { default: 'allow', statements: [denied] }, {}),
      () => app.apiKeys.rotate(id, caller.keyId, { overlap_seconds: 60 }),
      () => app.tenantPolicies.set(id, { default: 'allow', statements: [] }, {}),
      () => app.tenantAdmin.update(id, { cache: null }, {}),
      () => app.tenantAdmin.suspend(id, {}),
      () => app.tenantAdmin.resume(id, {}),
      () => app.tenantAdmin.remove(id, { undoMs: null }),
      () => app.tenantAdmin.undelete(id, {}),
    ];
    for (const happen of happenings) {
      await happen();
      expect((await stored(id)).choices).toEqual(SETTINGS);
      expect((await app.tenants.get(id)).sessions).toEqual(SETTINGS);
    }
    expect(await known(other, caller)).toMatchObject(SET);
  });

  it('are shown by a dry run as they would be, and not changed', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    const before = await stored(id);
    const preview = await app.tenantAdmin.previewUpdate(id, { sessions: SETTINGS }, {});
    expect(preview).toMatchObject({ rev: 1, tenant: { sessions: SETTINGS } });
    expect(await stored(id)).toEqual(before);
    expect(await app.tenants.get(id)).not.toHaveProperty('sessions');
  });

  it('of a tenant that an earlier version made are those of the deployment', async () => {
    const { tenant, caller } = await newTenant(app);
    const old = '{"keys":[],"data_key":0,"policies":null,"cache":{"eviction":"none"}}';
    await gateState(app, tenant.id).write('x', old);
    expect(await known(app, caller)).toMatchObject(BY_DEFAULT);
    await app.tenantAdmin.update(tenant.id, { sessions: SETTINGS }, {});
    expect(await known(app, caller)).toMatchObject(SET);
  });
});
