/** A tenant's settings of its cache: kept with the tenant, and told to each instance with its next request. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { settingsFor } from '../../lib/cache/namespace-settings.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { unpackContextData } from '../../lib/gate/context-format.ts';
import { unpackLimits } from '../../lib/gate/gate-fields.ts';
import type { TenantId } from '../../lib/ids.ts';
import { verifyAccess } from '../../lib/redis/bindings/gate-scripts.ts';
import { newTenant, newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';

const SETTINGS = {
  eviction_policy: 'none',
  namespaces: { pages: { compression: 'zstd', default_ttl_seconds: 'never' }, feed: { grace_seconds: 5 } },
} as const;
const CHOICES = {
  eviction: 'none',
  namespaces: { pages: { compression: 'zstd', default_ttl_seconds: null }, feed: { grace_seconds: 5 } },
};

describe.each(TRANSPORTS)('settings of the cache over %s [A1 A4 C2 C5 C13]', (transport) => {
  let app: App;
  let other: App;
  beforeAll(async () => {
    [app, other] = await Promise.all([testApp({ transport }), testApp({ transport })]);
  });

  /** As an instance has them that serves a request of the tenant now. */
  const known = async (instance: App, caller: Caller, namespace: string) => {
    const ask = { script: verifyAccess, scope: 'none', kind: 'read', keys: () => ({}), args: () => ({}) } as const;
    const { context } = await instance.gate.run(caller, ask);
    return settingsFor(context, instance.config.cache, namespace);
  };
  const stored = async (id: TenantId) => {
    const gate = gateState(app, id);
    const { contextVersion } = unpackLimits(await gate.read('h'));
    return { version: contextVersion, choices: unpackContextData(await gate.read('x')).cache };
  };

  it('are none unless named, and are kept from the creation on', async () => {
    const plain = await app.tenants.create(newTenantRequest());
    expect(plain).not.toHaveProperty('cache');
    expect(await stored(plain.id)).toEqual({ version: 1, choices: {} });
    const { tenant, caller } = await newTenant(app, { cache: SETTINGS });
    expect(tenant.cache).toEqual(SETTINGS);
    expect((await app.tenants.get(tenant.id)).cache).toEqual(SETTINGS);
    expect(await stored(tenant.id)).toEqual({ version: 1, choices: CHOICES });
    expect(await known(app, caller, 'pages')).toMatchObject({ compression: 'zstd', defaultTtlMs: null });
  });

  it('reach every instance with its next request, replaced as a whole, and null takes them away', async () => {
    const { tenant, caller } = await newTenant(app);
    for (const instance of [app, other]) {
      expect(await known(instance, caller, 'pages')).toMatchObject({ compression: 'lz4', eviction: 'lru' });
    }
    await app.tenantAdmin.update(tenant.id, { cache: SETTINGS }, {});
    for (const instance of [app, other]) {
      expect(await known(instance, caller, 'pages')).toMatchObject({ compression: 'zstd', eviction: 'none' });
      expect(await known(instance, caller, 'feed')).toMatchObject({ compression: 'lz4', graceMs: 5_000 });
    }
    await app.tenantAdmin.update(tenant.id, { cache: { namespaces: { feed: { max_stale_ms: 7 } } } }, {});
    for (const instance of [app, other]) {
      expect(await known(instance, caller, 'pages')).toMatchObject({ compression: 'lz4', eviction: 'lru' });
      expect(await known(instance, caller, 'feed')).toMatchObject({ maxStaleMs: 7, graceMs: 0 });
    }
    const { tenant: after } = await app.tenantAdmin.update(tenant.id, { cache: null }, {});
    expect(after).not.toHaveProperty('cache');
    expect(await stored(tenant.id)).toEqual({ version: 4, choices: {} });
    expect(await known(other, caller, 'feed')).toMatchObject({ maxStaleMs: 0 });
  });

  it('are told again only when they change', async () => {
    const { id } = await app.tenants.create(newTenantRequest({ cache: SETTINGS }));
    const { eviction_policy, namespaces } = SETTINGS;
    const turned = { namespaces: { feed: namespaces.feed, pages: namespaces.pages }, eviction_policy };
    expect((await app.tenantAdmin.update(id, { cache: turned }, {})).rev).toBe(1);
    await app.tenantAdmin.update(id, { name: 'New' }, {});
    const more = { ...SETTINGS, namespaces: { ...namespaces, empty: {} } };
    expect((await app.tenantAdmin.update(id, { cache: more }, {})).tenant.cache).toEqual(more);
    expect(await stored(id)).toEqual({ version: 1, choices: CHOICES });
  });

  it('stay through whatever else happens to the tenant', async () => {
    const { tenant, caller } = await newTenant(app, { cache: SETTINGS });
    const { id } = tenant;
    const denied = { effect: 'deny' as const, actions: ['*'], resources: ['cache/x/*'], keys: [caller.keyId] };
    const happenings: readonly (() => Promise<unknown>)[] = [
      () => app.tenantAdmin.update(id, { encryption: true, quotas: { memory_bytes: 5_000_000 } }, {}),
      () => app.keyRotation.rotate(id, {}),
      () => app.tenantAdmin.update(id, { encryption: false }, {}),
      () => app.tenantPolicies.set(id, { default: 'allow', statements: [denied] }, {}),
      () => app.apiKeys.rotate(id, caller.keyId, { overlap_seconds: 60 }),
      () => app.tenantPolicies.set(id, { default: 'allow', statements: [] }, {}),
      () => app.tenantAdmin.suspend(id, {}),
      () => app.tenantAdmin.resume(id, {}),
      () => app.tenantAdmin.remove(id, { undoMs: null }),
      () => app.tenantAdmin.undelete(id, {}),
    ];
    for (const happen of happenings) {
      await happen();
      expect((await stored(id)).choices).toEqual(CHOICES);
      expect((await app.tenants.get(id)).cache).toEqual(SETTINGS);
    }
    expect(await known(other, caller, 'pages')).toMatchObject({ compression: 'zstd' });
  });

  it('are shown by a dry run as they would be, and not changed', async () => {
    const { id } = await app.tenants.create(newTenantRequest());
    const before = await stored(id);
    const preview = await app.tenantAdmin.previewUpdate(id, { cache: SETTINGS }, {});
    expect(preview).toMatchObject({ rev: 1, tenant: { cache: SETTINGS } });
    expect(await stored(id)).toEqual(before);
    expect(await app.tenants.get(id)).not.toHaveProperty('cache');
  });

  it('of a tenant that an earlier version made are those of the deployment', async () => {
    const { tenant, caller } = await newTenant(app);
    await gateState(app, tenant.id).write('x', '{"keys":[],"data_key":0,"policies":null}');
    expect(await known(app, caller, 'pages')).toMatchObject({ compression: 'lz4', eviction: 'lru' });
    await app.tenantAdmin.update(tenant.id, { cache: SETTINGS }, {});
    expect(await known(app, caller, 'pages')).toMatchObject({ compression: 'zstd', eviction: 'none' });
  });
});
