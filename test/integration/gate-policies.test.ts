/** A tenant's own policies: who may do what to which resource. Deny wins; scopes are asked besides. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { EMPTY_CONTEXT, packContext } from '../../lib/gate/context-format.ts';
import type { PolicySet } from '../../lib/gate/policies.ts';
import type { TenantId } from '../../lib/ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { tenantState } from '../support/tenant-state.ts';

const named = (namespace: string, key = 'k') => ({ namespace, key });
const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };

describe.each(TRANSPORTS)('policies over %s [T3]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  /** As administration sets them. */
  const setPolicies = async (id: TenantId, policies: PolicySet | null) => {
    const gate = gateState(app, id);
    await gate.write('x', packContext({ ...EMPTY_CONTEXT, policies }));
    const [, , version] = (await gate.read('h')).split(',');
    await gate.setLimits({ contextVersion: Number(version) + 1 });
  };
  const deny = (resource: string, actions = ['*']): PolicySet => ({
    default: 'allow',
    statements: [{ effect: 'deny', actions, resources: [resource] }],
  });

  it('act on the next request, and so does taking them back', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.set(caller, named('secret'), value);
    await setPolicies(tenant.id, deny('cache/secret/*', ['cache:read']));
    await expect(app.cache.get(caller, named('secret'))).rejects.toMatchObject({ code: 'access_denied', status: 403 });
    expect(await app.cache.get(caller, named('open'))).toBeNull();
    await app.cache.set(caller, named('secret'), value);
    await setPolicies(tenant.id, null);
    expect(await app.cache.get(caller, named('secret'))).not.toBeNull();
  });

  it('a denial changes and meters nothing', async () => {
    const { tenant, caller } = await newTenant(app);
    await setPolicies(tenant.id, deny('cache/*'));
    await expect(app.cache.get(caller, named('ns'))).rejects.toMatchObject({ code: 'access_denied' });
    const before = await tenantState(app, tenant.id);
    await expect(app.cache.set(caller, named('ns'), value)).rejects.toMatchObject({ code: 'access_denied' });
    await expect(app.cache.delete(caller, named('ns'))).rejects.toMatchObject({ code: 'access_denied' });
    expect(await tenantState(app, tenant.id)).toEqual(before);
  });

  it('tell nobody without a good key what they say', async () => {
    const { tenant, caller } = await newTenant(app);
    await setPolicies(tenant.id, deny('cache/*'));
    await app.cache.get(caller, named('ns')).catch(() => {});
    const stranger = { ...caller, keyHash: 'f'.repeat(64) };
    await expect(app.cache.get(stranger, named('ns'))).rejects.toMatchObject({ code: 'key_unknown' });
    await gateState(app, tenant.id).setLimits({ status: 'suspended' });
    await expect(app.cache.get(caller, named('ns'))).rejects.toMatchObject({ code: 'tenant_suspended' });
  });

  it('may speak of some keys only', async () => {
    const { tenant, caller } = await newTenant(app);
    const { key: other } = await app.apiKeys.create(tenant.id, { scopes: ['*'], expires_at: null });
    const { parseApiKey } = await import('../../lib/gate/caller.ts');
    await setPolicies(tenant.id, {
      default: 'deny',
      statements: [{ effect: 'allow', actions: ['cache:*'], resources: ['cache/*'], keys: [caller.keyId] }],
    });
    expect(await app.cache.get(caller, named('ns'))).toBeNull();
    await expect(app.cache.get(parseApiKey(other), named('ns'))).rejects.toMatchObject({ code: 'access_denied' });
  });
});
