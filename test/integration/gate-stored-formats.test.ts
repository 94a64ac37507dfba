/** A Redis as an earlier version left it is served by this one: through the gate, by every script. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { newTenant, newTenantRequest, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { GOLDEN_PREFIX, golden, goldenKeys } from '../support/stored-formats.ts';

describe('data of earlier versions [C1 C3 T1 T2 A14]', () => {
  let app: App;
  const { tenant } = golden;
  const caller = parseApiKey(golden.apiKey);
  const named = (key: string) => ({ namespace: 'ns', key });

  /** Each test begins with what the fixture holds, and nothing else. */
  beforeAll(async () => {
    app = await testApp({ env: { PERSISTENCE_CACHE_KEY_PREFIX: GOLDEN_PREFIX } });
    const commands = [
      ...Object.entries(golden.strings).map(([key, text]) => ['SET', key, text] as const),
      ...Object.entries(golden.hashes).map(([key, fields]) => ['HSET', key, ...Object.entries(fields).flat()] as const),
      ...Object.entries(golden.sortedSets).map(
        ([key, members]) => ['ZADD', key, ...members.flatMap((member) => [0, member])] as const,
      ),
    ];
    for (const reply of await app.redis.sendAll(commands, { kind: 'write' })) expect(reply).not.toBeInstanceOf(Error);
  });

  it('serves every entry to its key, with its metadata', async () => {
    for (const { key, value_base64, meta } of golden.entries) {
      expect(await app.cache.get(caller, named(key))).toMatchObject({
        value: Buffer.from(value_base64, 'base64'),
        meta,
      });
      expect(await app.cache.head(caller, named(key))).toMatchObject({ meta });
    }
  });

  it('holds counters and an index that are those of its entries', async () => {
    expect(await auditTenant(app, tenant.id)).toBe(golden.entries.length);
  });

  it('knows the tenant, its key and its scopes, and refuses the key that was revoked', async () => {
    expect(await app.tenants.get(tenant.id)).toEqual(tenant);
    expect(await app.account.identify(caller)).toMatchObject({ scopes: ['cache:read', 'cache:write'] });
    const revoked = parseApiKey(golden.revokedKey);
    await expect(app.account.identify(revoked)).rejects.toMatchObject({ code: 'key_revoked' });
  });

  it('does not create the tenant again, and gives its abandoned place back', async () => {
    const ulid = tenant.id.slice('tenant-'.length);
    expect(await app.tenants.create(newTenantRequest(), { ulid })).toEqual(tenant);
    expect(await app.tenants.repair()).toEqual({ finished: 0, released: 2 });
    expect(await app.tenants.listIds({ limit: 10 })).toEqual([newTenantId(ulid)]);
  });

  it('holds what was reserved, and frees it as abandoned', async () => {
    const stored = () => app.quotas.check(tenant.id, { resource: 'storage_bytes' });
    expect(await stored()).toMatchObject({ used: 0, held: 700 });
    expect(await app.abandonedHolds.run()).toEqual({ reservationsFreed: 1 });
    expect(await stored()).toMatchObject({ used: 0, held: 0 });
  });

  it('hides what was invalidated, and counts none of it [C8]', async () => {
    const { caller, tenant } = await newTenant(app);
    const names = ['n.1/old', 'n2/fenced', 'o/tagged', 'o/other', 'n.1/late'].map((path) => {
      const [namespace = '', key = ''] = path.split('/');
      return { namespace, key };
    });
    for (const name of names) {
      const tags = name.key === 'tagged' ? { tags: ['c'] } : {};
      await app.cache.set(caller, name, { value: Buffer.from('v'), meta: { content_type: 'text/plain', ...tags } });
    }
    const { gate, invalidated, all } = golden.invalidations;
    const written = (field: string, ...more: readonly string[]) =>
      app.redis.send(['HSET', goldenKeys.gate(tenant.id), field, ...more], { kind: 'write' });
    for (const [field, value] of Object.entries(gate)) await written(field, value);
    const waiting = Object.entries(invalidated).flatMap(([field, seq]) => [seq, field]);
    await app.redis.send(['ZADD', goldenKeys.invalidated(tenant.id), ...waiting], { kind: 'write' });
    const seen = async () =>
      (await Promise.all(names.map((name) => app.cache.get(caller, name)))).map((entry) => entry !== null);
    expect(await seen()).toEqual([false, true, false, true, true]);
    await written('v', all);
    expect(await seen()).toEqual([false, false, false, false, false]);
    const count = await app.invalidation.invalidate(caller, { selector: { by: 'all' }, dry: true });
    expect(count).toMatchObject({ data: { would_invalidate: 0, exact: true } });
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });

  it('replays the idempotent call', async () => {
    const { result, ...call } = golden.idempotentCall;
    const again = { ...call, operationId: newUlid(Date.now()), leaseMs: 1 };
    const replayed = await app.idempotency.run(again, () => Promise.reject(new Error('it ran again')));
    const headers = { ...result.headers, 'idempotency-status': 'replayed' };
    expect(replayed).toEqual({ ...result, headers });
    const other = app.idempotency.run({ ...again, body: '{}' }, () => Promise.reject(new Error('it ran')));
    await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('counts a limit on from where it stood', async () => {
    const { caller, tenant } = await newTenant(app);
    for (const { algorithm, limit, window_ms, used, stored } of golden.limits) {
      const name = { namespace: 'logins', key: algorithm };
      await app.redis.send(['SET', goldenKeys.limit(tenant.id, 1, name), stored], { kind: 'write' });
      const how = { name: 'logins', identifier: algorithm, limit, windowMs: window_ms, algorithm };
      const verdicts = [
        await app.rateLimiter.check(caller, { ...how, cost: 0 }),
        await app.rateLimiter.check(caller, how),
      ];
      expect(verdicts.map(({ remaining }) => remaining)).toEqual([limit - used, limit - used - 1]);
      const replayed = await app.rateLimiter.check(caller, { ...how, cost: used }, { operationId: 'op-2' });
      expect(replayed.allowed).toBe(false);
    }
  });

  it('replays the idempotent call of a tenant, byte for byte', async () => {
    const { caller, tenant } = await newTenant(app);
    const { stored, name, bytes_base64, route_name, ...call } = golden.tenantCall;
    const [namespace = '', key = ''] = name.split(':');
    await app.redis.send(['SET', goldenKeys.tenantCall(tenant.id, 1, { namespace, key }), stored], { kind: 'write' });
    const again = {
      ...call,
      tenant: { caller: { ...caller, route: route_name }, scope: 'none' },
      operationId: newUlid(Date.now()),
      leaseMs: 1,
    };
    const replayed = await app.idempotency.run(again, () => Promise.reject(new Error('it ran again')));
    expect(replayed.bytes).toEqual(Buffer.from(bytes_base64, 'base64'));
  });

  it('revokes its key, replaces and removes its entries to the last byte', async () => {
    const [first, ...others] = golden.entries;
    const value = { value: Buffer.from('new'), meta: { content_type: 'text/plain' }, ttlMs: 60_000 };
    expect(await app.cache.set(caller, named(first?.key ?? ''), value)).toMatchObject({ created: false });
    for (const { key } of others) expect(await app.cache.delete(caller, named(key))).toBe(true);
    expect(await auditTenant(app, tenant.id)).toBe(1);
    await app.apiKeys.revoke(tenant.id, golden.apiKey.split('_')[2] ?? '');
    await expect(app.account.identify(caller)).rejects.toMatchObject({ code: 'key_revoked' });
    expect(await app.redis.send(['HLEN', goldenKeys.apiKeys(tenant.id)], { kind: 'read' })).toBe(2);
  });
});
