/** Who passes the gate, and that whoever does not leaves no trace. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { type Caller, parseApiKey } from '../../lib/gate/caller.ts';
import type { GRANTABLE_SCOPES } from '../../lib/gate/scope.ts';
import { newUlid } from '../../lib/ids.ts';
import { verifyAccess } from '../../lib/redis/bindings/gate-scripts.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { tenantState } from '../support/tenant-state.ts';

type GrantableScope = (typeof GRANTABLE_SCOPES)[number];
const entry = { namespace: 'ns', key: 'k' };
const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };

describe.each(TRANSPORTS)('the gate over %s', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const keyWith = async ({ tenant }: TestTenant, scopes: readonly GrantableScope[], expires_at: string | null = null) =>
    app.apiKeys.create(tenant.id, { scopes: [...scopes], expires_at });

  /** Every operation refused alike, and nothing of the tenant changed. */
  const expectRefused = async ({ tenant }: TestTenant, caller: Caller, refused: object) => {
    const before = await tenantState(app, tenant.id);
    const { cache } = app;
    const calls = [cache.get(caller, entry), cache.set(caller, entry, value), cache.delete(caller, entry)];
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(refused)));
    await expect(cache.head(caller, entry)).rejects.toMatchObject(refused);
    expect(await tenantState(app, tenant.id)).toEqual(before);
  };

  describe('refuses and changes nothing [T2 T4]', () => {
    it('a key nobody has, and the key of another tenant', async () => {
      const [tenant, other] = [await newTenant(app), await newTenant(app)];
      await app.cache.set(tenant.caller, entry, value);
      const unknown = { status: 401, code: 'key_unknown' };
      const made = parseApiKey(tenant.key.replace(/.{43}$/, 'x'.repeat(43)));
      await expectRefused(tenant, made, unknown);
      await expectRefused(tenant, { ...other.caller, tenantId: tenant.tenant.id }, unknown);
    });

    it('a key of a tenant that does not exist', async () => {
      const { caller } = await newTenant(app);
      const tenantId = `tenant-${'0'.repeat(26)}` as Caller['tenantId'];
      await expect(app.cache.get({ ...caller, tenantId }, entry)).rejects.toMatchObject({ code: 'key_unknown' });
      expect((await tenantState(app, tenantId)).gate).toEqual({});
    });

    it('a key that has expired, from that millisecond on', async () => {
      const tenant = await newTenant(app);
      const soon = new Date(Date.now() + 60_000).toISOString();
      const { id, key } = await keyWith(tenant, ['*'], soon);
      const caller = parseApiKey(key);
      expect(await app.cache.get(caller, entry)).toBeNull();
      const gate = gateState(app, tenant.tenant.id);
      const nowMs = (await gate.timeUs()) / 1_000n;
      await gate.write(`k:${caller.keyHash}`, `k1,${id},${nowMs},a, * `);
      await expectRefused(tenant, caller, { status: 401, code: 'key_expired' });
    });

    it('a key that was revoked, with the next request, for good', async () => {
      const tenant = await newTenant(app);
      const { id, key } = await keyWith(tenant, ['*']);
      expect(await app.cache.get(parseApiKey(key), entry)).toBeNull();
      await app.apiKeys.revoke(tenant.tenant.id, id);
      await expectRefused(tenant, parseApiKey(key), { status: 401, code: 'key_revoked' });
      await app.apiKeys.revoke(tenant.tenant.id, id);
      await expectRefused(tenant, parseApiKey(key), { status: 401, code: 'key_revoked' });
      expect(await app.cache.get(tenant.caller, entry)).toBeNull();
    });

    it('a suspended tenant, until it is resumed', async () => {
      const tenant = await newTenant(app);
      const gate = gateState(app, tenant.tenant.id);
      await app.cache.set(tenant.caller, entry, value);
      await gate.setLimits({ status: 'suspended' });
      await expectRefused(tenant, tenant.caller, { status: 403, code: 'tenant_suspended' });
      await gate.setLimits({ status: 'active' });
      expect(await app.cache.get(tenant.caller, entry)).not.toBeNull();
    });

    it('a revoked key of a suspended tenant as revoked, and an unscoped one as suspended', async () => {
      const tenant = await newTenant(app);
      const [revoked, unscoped] = [await keyWith(tenant, ['*']), await keyWith(tenant, ['cache:write'])];
      await app.apiKeys.revoke(tenant.tenant.id, revoked.id);
      await gateState(app, tenant.tenant.id).setLimits({ status: 'suspended' });
      await expectRefused(tenant, parseApiKey(revoked.key), { code: 'key_revoked' });
      await expectRefused(tenant, parseApiKey(unscoped.key), { code: 'tenant_suspended' });
    });
  });

  describe('scopes [T2]', () => {
    const outcome = (call: Promise<unknown>) =>
      call.then(
        () => true,
        (error: { code: string; details: object }) => ({ code: error.code, ...error.details }),
      );
    const asking = (scope: string) =>
      ({ script: verifyAccess, scope, kind: 'read', keys: () => ({}), args: () => ({}) }) as const;
    const may = async (caller: Caller) => {
      return [await outcome(app.cache.get(caller, entry)), await outcome(app.cache.set(caller, entry, value))];
    };
    const missing = (scope: string) => ({ code: 'scope_missing', scope });

    it.each<[GrantableScope[], unknown[]]>([
      [['*'], [true, true]],
      [['cache:*'], [true, true]],
      [
        ['cache:read', 'cache:write'],
        [true, true],
      ],
      [['cache:read'], [true, missing('cache:write')]],
      [['cache:write'], [missing('cache:read'), true]],
    ])('%j may do what it names and no more', async (scopes, outcomes) => {
      const tenant = await newTenant(app);
      const { key } = await keyWith(tenant, scopes);
      expect(await may(parseApiKey(key))).toEqual(outcomes);
    });

    it.each<[GrantableScope[], unknown[]]>([
      [['*'], [true, true]],
      [['sessions:*'], [true, true]],
      [['sessions:read'], [true, missing('sessions:write')]],
      [['sessions:write'], [missing('sessions:read'), true]],
      [['cache:*'], [missing('sessions:read'), missing('sessions:write')]],
    ])('%j may do with sessions what it names and no more [S1]', async (scopes, outcomes) => {
      const tenant = await newTenant(app);
      const caller = parseApiKey((await keyWith(tenant, scopes)).key);
      const asked = ['sessions:read', 'sessions:write'].map((scope) => outcome(app.gate.run(caller, asking(scope))));
      expect(await Promise.all(asked)).toEqual(outcomes);
    });

    it('a policy can keep a key from sessions, by their public part [S1 T3]', async () => {
      const { tenant, caller } = await newTenant(app);
      const resource = `sessions/session-${newUlid(Date.now())}`;
      const denied = { effect: 'deny' as const, actions: ['sessions:write'], resources: [resource] };
      await app.tenantPolicies.set(tenant.id, { default: 'allow', statements: [denied] }, {});
      const ask = (scope: string, more = '') =>
        outcome(app.gate.run(caller, { ...asking(scope), resource: resource + more }));
      expect(await ask('sessions:write')).toMatchObject({ code: 'access_denied' });
      expect([await ask('sessions:read'), await ask('sessions:write', '0')]).toEqual([true, true]);
    });

    it('a scope that only begins alike is another', async () => {
      const tenant = await newTenant(app);
      const write = (scopes: string) =>
        gateState(app, tenant.tenant.id).write(`k:${tenant.caller.keyHash}`, `k1,key-1,0,a, ${scopes} `);
      for (const scopes of ['cache:reader', 'cache', 'xcache:read', 'sessions:*', 'cache:r', '']) {
        await write(scopes);
        expect(await may(tenant.caller)).toEqual([missing('cache:read'), missing('cache:write')]);
      }
    });

    it('a key without the scope changes nothing', async () => {
      const tenant = await newTenant(app);
      await gateState(app, tenant.tenant.id).write(`k:${tenant.caller.keyHash}`, 'k1,key-1,0,a, other:read ');
      await expectRefused(tenant, tenant.caller, { status: 403, code: 'scope_missing' });
    });
  });
});
