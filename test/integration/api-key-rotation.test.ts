/** API keys that end: rotated with an overlap, listed with their state, pruned when they are long dead. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { newKeyId, newUlid } from '../../lib/ids.ts';
import { MAX_KEYS_PER_TENANT } from '../../lib/tenants/api-keys.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { auditedActions, keysOf, outboxOf } from '../support/tenant-state.ts';

const all = { scopes: ['*' as const], expires_at: null };
const idOf = (key: string) => key.split('_')[2] as string;
const overlap = (overlap_seconds: number) => ({ overlap_seconds });
const MONTH_MS = 31 * 86_400_000;

describe.each(TRANSPORTS)('rotating a key over %s [T2]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });
  const identify = (key: string) => app.account.identify(parseApiKey(key));
  const gateField = async ({ tenant }: TestTenant, key: string) =>
    (await gateState(app, tenant.id).read(`k:${parseApiKey(key).keyHash}`)).split(',');

  it('gives a new key with the same name, scopes and limit; both work for the overlap', async () => {
    const made = await newTenant(app);
    const { id } = made.tenant;
    const rate_limit = { operations_per_minute: 600, burst: 5 };
    const request = { scopes: ['cache:read' as const], expires_at: null, name: 'ci', rate_limit };
    const old = await app.apiKeys.create(id, request);
    const fresh = await app.apiKeys.rotate(id, old.id, overlap(3_600));
    expect(fresh).toMatchObject({ scopes: ['cache:read'], expires_at: null });
    expect((await identify(fresh.key)).key_id).toBe(fresh.id);
    expect((await identify(old.key)).key_id).toBe(old.id);
    const nowMs = Number((await gateState(app, id).timeUs()) / 1_000n);
    const endsMs = Number((await gateField(made, old.key))[2]);
    expect(nowMs + 3_600_000 - endsMs).toBeGreaterThanOrEqual(0);
    expect(nowMs + 3_600_000 - endsMs).toBeLessThan(60_000);
    const { items } = await app.apiKeyList.list(id, { limit: 10 });
    expect(items.find((key) => key.id === fresh.id)).toMatchObject({ name: 'ci', rate_limit, state: 'active' });
    expect(items.find((key) => key.id === old.id)?.expires_at).toBe(new Date(endsMs).toISOString());
  });

  it('ends the old key at once without an overlap, and never later than it would have ended', async () => {
    const made = await newTenant(app);
    const { id } = made.tenant;
    await app.apiKeys.rotate(id, idOf(made.key), overlap(0));
    await expect(identify(made.key)).rejects.toMatchObject({ code: 'key_expired' });
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const old = await app.apiKeys.create(id, { ...all, expires_at });
    const fresh = await app.apiKeys.rotate(id, old.id, { ...overlap(3_600), expires_at: null });
    expect((await gateField(made, old.key))[2]).toBe(`${Date.parse(expires_at)}`);
    expect(fresh.expires_at).toBeNull();
  });

  it('does it once for one operation: the overlap counts from the first', async () => {
    const made = await newTenant(app);
    const { id } = made.tenant;
    const ulid = newUlid(Date.now());
    const first = await app.apiKeys.rotate(id, idOf(made.key), overlap(60), { ulid });
    const ends = (await gateField(made, made.key))[2];
    const second = await app.apiKeys.rotate(id, idOf(made.key), overlap(60), { ulid });
    expect(second.id).toBe(first.id);
    expect((await gateField(made, made.key))[2]).toBe(ends);
    await expect(identify(first.key)).rejects.toMatchObject({ code: 'key_unknown' });
    expect((await identify(second.key)).key_id).toBe(first.id);
    expect((await auditedActions(app, id)).filter((action) => action === 'key.rotate')).toHaveLength(1);
  });

  it('hands on what policies say of the old key: what was denied stays denied', async () => {
    const { tenant, key: text } = await newTenant(app);
    const { id } = tenant;
    const old = idOf(text);
    const ns = (namespace: string) => ({ namespace, key: 'k' });
    const deny = { effect: 'deny' as const, actions: ['cache:read'], resources: ['cache/secret/*'], keys: [old] };
    const others = { ...deny, resources: ['cache/other/*'], keys: [newKeyId(newUlid(1))] };
    await app.tenantPolicies.set(id, { default: 'allow', statements: [deny, others] }, {});
    const ulid = newUlid(Date.now());
    await app.apiKeys.rotate(id, old, overlap(60), { ulid });
    const fresh = await app.apiKeys.rotate(id, old, overlap(60), { ulid });
    for (const key of [text, fresh.key]) {
      const read = app.cache.get(parseApiKey(key), ns('secret'));
      await expect(read, key === text ? 'old' : 'new').rejects.toMatchObject({ code: 'access_denied' });
    }
    expect(await app.cache.get(parseApiKey(fresh.key), ns('other'))).toBeNull();
    const { policies } = await app.tenantPolicies.get(id);
    expect(policies.statements).toEqual([{ ...deny, keys: [old, fresh.id] }, others]);
    expect((await auditedActions(app, id)).slice(2)).toEqual(['policies.set', 'policies.set', 'key.rotate']);
  });

  it('is refused, and changes nothing, where a policy has no room for another key', async () => {
    const { tenant, key } = await newTenant(app);
    const more = Array.from({ length: 99 }, () => newKeyId(newUlid(1)));
    const full = { effect: 'deny' as const, actions: ['*'], resources: ['*'], keys: [idOf(key), ...more] };
    await app.tenantPolicies.set(tenant.id, { default: 'allow', statements: [full] }, {});
    const before = await app.apiKeyList.list(tenant.id, { limit: 10 });
    const rotating = app.apiKeys.rotate(tenant.id, idOf(key), overlap(60));
    await expect(rotating).rejects.toMatchObject({ code: 'key_limit_reached' });
    expect(await app.apiKeyList.list(tenant.id, { limit: 10 })).toEqual(before);
  });

  it('refuses a key that is revoked, expired or not there', async () => {
    const { tenant } = await newTenant(app);
    const revoked = await app.apiKeys.create(tenant.id, all);
    await app.apiKeys.revoke(tenant.id, revoked.id);
    const expired = await app.apiKeys.create(tenant.id, { ...all, expires_at: '2020-01-01T00:00:00Z' });
    for (const { id } of [revoked, expired]) {
      const asked = app.apiKeys.rotate(tenant.id, id, overlap(60));
      await expect(asked).rejects.toMatchObject({ status: 409, code: 'key_not_active' });
    }
    const nowhere = app.apiKeys.rotate(tenant.id, `key-${newUlid(0)}`, overlap(60));
    await expect(nowhere).rejects.toMatchObject({ status: 404, code: 'key_not_found' });
    expect((await app.apiKeyList.list(tenant.id, { limit: 10 })).items).toHaveLength(3);
  });

  it('loses no rotation when two come at once: each gives a key that works', async () => {
    const { tenant, key } = await newTenant(app);
    const fresh = await Promise.all([1, 2].map(() => app.apiKeys.rotate(tenant.id, idOf(key), overlap(60))));
    for (const each of fresh) expect((await identify(each.key)).key_id).toBe(each.id);
  });
});

describe('what is known of keys [T2]', () => {
  let app: App;
  beforeAll(async () => {
    app = await testApp();
  });

  it('tells state and last use, and never a secret or its hash', async () => {
    const { tenant, key, caller } = await newTenant(app);
    const revoked = await app.apiKeys.create(tenant.id, all);
    await app.apiKeys.revoke(tenant.id, revoked.id);
    const expired = await app.apiKeys.create(tenant.id, { ...all, expires_at: '2020-01-01T00:00:00Z', name: 'old' });
    await app.account.identify(caller);
    const list = await app.apiKeyList.list(tenant.id, { limit: 10 });
    const of = (id: string) => list.items.find((item) => item.id === id);
    expect([idOf(key), revoked.id, expired.id].map((id) => of(id)?.state)).toEqual(['active', 'revoked', 'expired']);
    expect(Date.now() - Date.parse(of(idOf(key))?.last_used_at ?? '')).toBeLessThan(180_000);
    expect(of(revoked.id)?.last_used_at).toBeNull();
    expect(JSON.stringify(list)).not.toMatch(new RegExp(`${caller.keyHash}|${key.slice(-43)}`));
  });

  it('comes in pages, each key once', async () => {
    const { tenant } = await newTenant(app);
    const made = await Promise.all(Array.from({ length: 6 }, () => app.apiKeys.create(tenant.id, all)));
    const first = await app.apiKeyList.list(tenant.id, { limit: 4 });
    const rest = await app.apiKeyList.list(tenant.id, { limit: 4, cursor: first.next_cursor ?? '' });
    expect(rest.next_cursor).toBeNull();
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect(ids).toHaveLength(7);
    expect(ids).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
  });

  it('forgets keys that were dead for a month when there is no room, and only then', async () => {
    const { tenant } = await newTenant(app);
    const keys = keysOf(app);
    const old = Date.now() - MONTH_MS;
    const hashOf = (i: number) => i.toString(16).padStart(64, '0');
    const ids = Array.from({ length: MAX_KEYS_PER_TENANT - 1 }, (_, i) => ({ i, id: `key-${newUlid(i)}` }));
    // Revoked long ago, expired long ago, expired now, never expiring: in turns.
    const state = (i: number) => (i % 4 === 0 ? `r,${old}` : 'a,0');
    const expires = (i: number) => [0, old, Date.now() - 1_000, 0][i % 4];
    await app.redis.send(
      ['HSET', keys.apiKeys(tenant.id), ...ids.flatMap(({ i, id }) => [id, `${hashOf(i)},${state(i)},{}`])],
      { kind: 'write' },
    );
    const fields = ids.flatMap(({ i, id }) => [
      `k:${hashOf(i)}`,
      `k2,${id},${expires(i)},${i % 4 === 0 ? 'r' : 'a'},0, * `,
    ]);
    await app.redis.send(['HSET', keys.gate(tenant.id), ...fields], { kind: 'write' });
    await app.apiKeys.create(tenant.id, all);
    const left = Number(await app.redis.send(['HLEN', keys.apiKeys(tenant.id)], { kind: 'read' }));
    expect(left).toBe(2 + ids.filter(({ i }) => i % 4 > 1).length);
    const gone = await app.redis.send(['HMGET', keys.gate(tenant.id), `k:${hashOf(0)}`, `k:${hashOf(1)}`], {
      kind: 'read',
    });
    expect(gone).toEqual([null, null]);
    expect(await app.redis.send(['HEXISTS', keys.gate(tenant.id), `k:${hashOf(2)}`], { kind: 'read' })).toBe(1);
  });

  it('removes the limit of a key with the key', async () => {
    const { tenant } = await newTenant(app);
    const { id, key } = await app.apiKeys.create(tenant.id, { ...all, rate_limit: { operations_per_minute: 30 } });
    const gate = gateState(app, tenant.id);
    const field = `l:${parseApiKey(key).keyHash}`;
    expect(await gate.read(field)).toBe('l1,30,3,0,0');
    await app.apiKeys.revoke(tenant.id, id);
    expect(await gate.read(field)).toBeNull();
    expect(await auditedActions(app, tenant.id)).toEqual(['tenant.create', 'key.create', 'key.create', 'key.revoke']);
    expect(await outboxOf(app, tenant.id)).toBeNull();
  });
});

describe('a repeated call that takes over one that hangs [T2 A14]', () => {
  it('has the say: the late one is refused, and the secret that was given holds', async () => {
    const app = await testApp();
    const { tenant } = await newTenant(app);
    const ulid = newUlid(Date.now());
    const frozen = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const slow = await testApp({
      failpoint: async ({ name, phase }) => {
        if (name !== 'create-api-key' || phase !== 'before') return;
        reached.resolve();
        await frozen.promise;
      },
    });
    const late = slow.apiKeys.create(tenant.id, all, { ulid, fence: 1 });
    const refused = expect(late).rejects.toMatchObject({ status: 409, code: 'key_already_made' });
    await reached.promise;
    const { key, id } = await app.apiKeys.create(tenant.id, all, { ulid, fence: 2 });
    frozen.resolve();
    await refused;
    expect((await app.account.identify(parseApiKey(key))).key_id).toBe(id);
  });
});
