/** The limiter when replies are lost, when nobody can be asked, and when the caller may not ask. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { EMPTY_CONTEXT, packContext } from '../../lib/gate/context-format.ts';
import { keyField } from '../../lib/gate/gate-fields.ts';
import type { LimitCheck } from '../../lib/rate-limiter/limit-rules.ts';
import { newTenant, type TestTenant, TRANSPORTS, type Transport, testApp } from '../support/app.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { gateState } from '../support/gate-state.ts';
import { servers } from '../support/servers.ts';

const how: LimitCheck = { name: 'logins', identifier: 'user-1', limit: 5, windowMs: 3_600_000 };
const open: LimitCheck = { ...how, onUnavailable: 'allow' };
const DEGRADED = { allowed: true, degraded: true, remaining: null, resetAtMs: null, retryAfterMs: null, limit: 5 };

const through = (transport: Transport, port: number): Record<string, string> =>
  transport === 'tcp'
    ? { REDIS_URL: `redis://127.0.0.1:${port}`, PERSISTENCE_REDIS_POOL_SIZE: '1' }
    : { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}` };

describe.each(TRANSPORTS)('the limiter over %s [T5]', (transport) => {
  let proxy: FaultProxy;
  let app: App;
  let direct: App;
  let tenant: TestTenant;
  beforeEach(async () => {
    const { redisUrl, restUrl } = servers();
    proxy = await startFaultProxy({ targetPort: Number(new URL(transport === 'tcp' ? redisUrl : restUrl).port) });
    const env = { ...through(transport, proxy.port), PERSISTENCE_REDIS_COMMAND_TIMEOUT_MS: '1000' };
    app = await testApp({ transport, env });
    direct = await testApp({ transport });
    tenant = await newTenant(direct);
    // The context and the script are known from here on: the next reply is the one of the work.
    await app.rateLimiter.check(tenant.caller, { ...how, cost: 0 });
    await app.rateLimiter.check(tenant.caller, { ...how, identifier: 'nobody' });
  });
  afterEach(() => proxy.stop());

  const meter = () => gateState(direct, tenant.tenant.id).meter();

  it('counts a check whose reply is lost once, and meters it once', async () => {
    const { ops } = await meter();
    proxy.loseNextReply();
    expect(await app.rateLimiter.check(tenant.caller, { ...how, cost: 2 })).toMatchObject({
      allowed: true,
      remaining: 3,
    });
    expect(await meter()).toMatchObject({ ops: ops + 1n });
  });

  it('gives a refusal whose reply is lost again, and meters it once', async () => {
    await app.rateLimiter.check(tenant.caller, { ...how, cost: 4 });
    const { ops } = await meter();
    proxy.loseNextReply();
    const refused = await app.rateLimiter.check(tenant.caller, { ...how, cost: 2 });
    expect(refused).toMatchObject({ allowed: false, remaining: 1 });
    expect(refused.retryAfterMs).toBeGreaterThan(3_500_000);
    expect(await meter()).toMatchObject({ ops: ops + 1n });
  });

  it('knows the last 8 operations of an identifier again; an older one counts once more', async () => {
    const check = (operationId: string) =>
      app.rateLimiter.check(tenant.caller, { ...how, limit: 100 }, { operationId });
    for (let i = 0; i < 8; i++) await check(`op-${i}`);
    expect(await check('op-0')).toMatchObject({ allowed: true, remaining: 92 });
    await check('op-8');
    expect(await check('op-1')).toMatchObject({ remaining: 91 });
    expect(await check('op-0')).toMatchObject({ remaining: 90 });
  });

  describe('while Redis cannot be reached', () => {
    it('is closed, unless the request says that it be open', async () => {
      await proxy.refuse();
      await expect(app.rateLimiter.check(tenant.caller, how)).rejects.toMatchObject({ status: 503 });
      expect(await app.rateLimiter.check(tenant.caller, open)).toMatchObject(DEGRADED);
      await proxy.accept();
      await expect
        .poll(() => app.rateLimiter.check(tenant.caller, open).catch(() => null))
        .toMatchObject({ allowed: true, degraded: false, remaining: 4 });
    });

    it('is open as well when replies do not come in time', async () => {
      proxy.mode('drop-replies');
      expect(await app.rateLimiter.check(tenant.caller, open)).toMatchObject(DEGRADED);
    });

    it('is closed to a key that was not seen, by this instance, with this scope', async () => {
      const other = await newTenant(direct);
      const { key } = await direct.apiKeys.create(tenant.tenant.id, { scopes: ['*'], expires_at: null });
      await app.account.identify(parseApiKey(key));
      await proxy.refuse();
      for (const caller of [other.caller, parseApiKey(key), { ...tenant.caller, keyHash: '0'.repeat(64) }])
        await expect(app.rateLimiter.check(caller, open)).rejects.toMatchObject({ status: 503 });
    });

    it('is closed to a key that was seen revoked since', async () => {
      const { id, key } = await direct.apiKeys.create(tenant.tenant.id, { scopes: ['*'], expires_at: null });
      const caller = parseApiKey(key);
      await app.rateLimiter.check(caller, open);
      await direct.apiKeys.revoke(tenant.tenant.id, id);
      await expect(app.rateLimiter.check(caller, open)).rejects.toMatchObject({ code: 'key_revoked' });
      await proxy.refuse();
      await expect(app.rateLimiter.check(caller, open)).rejects.toMatchObject({ status: 503 });
      expect(await app.rateLimiter.check(tenant.caller, open)).toMatchObject(DEGRADED);
    });

    it('is closed where a policy it knows denies', async () => {
      const statements = [{ effect: 'deny', actions: ['ratelimit:*'], resources: ['ratelimit/closed*'] }] as const;
      const context = packContext({ ...EMPTY_CONTEXT, policies: { default: 'allow', statements } });
      const gate = gateState(direct, tenant.tenant.id);
      await gate.write('x', context);
      await gate.setLimits({ contextVersion: 7 });
      await app.rateLimiter.check(tenant.caller, open);
      const denied = { ...open, name: 'closed-to-all' };
      await expect(app.rateLimiter.check(tenant.caller, denied)).rejects.toMatchObject({ code: 'access_denied' });
      await proxy.refuse();
      await expect(app.rateLimiter.check(tenant.caller, denied)).rejects.toMatchObject({ status: 503 });
    });
  });

  it('takes a key with its scope, and no other', async () => {
    const gate = gateState(direct, tenant.tenant.id);
    const scoped = async (scope: string) => {
      const field = keyField(tenant.caller.keyHash);
      await gate.write(field, (await gate.read(field)).replace(/ .*$/, ` ${scope} `));
      return app.rateLimiter.check(tenant.caller, { ...how, cost: 0 }).catch(({ code }) => code);
    };
    expect(await scoped('cache:*')).toBe('scope_missing');
    for (const scope of ['ratelimit:check', 'ratelimit:*', '*'])
      expect(await scoped(scope)).toMatchObject({ allowed: true });
  });
});
