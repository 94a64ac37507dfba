/** The list of tenants: each once, whatever happens meanwhile, in as many round trips for ten as for thousands. */
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import type { TenantQuery } from '../../lib/tenants/tenant-list.ts';
import { newTenantRequest, testApp } from '../support/app.ts';
import { keysOf } from '../support/tenant-state.ts';

/** Under a key prefix of its own, so that nobody else's tenants are listed. */
async function alone(calls: string[] = []): Promise<App> {
  return testApp({
    env: { PERSISTENCE_CACHE_KEY_PREFIX: `l-${newUlid(Date.now())}` },
    failpoint: ({ phase, name }) => void (phase === 'before' && calls.push(name)),
  });
}

async function allPages(app: App, query: Omit<TenantQuery, 'limit' | 'cursor'> = {}, limit = 100): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await app.tenantList.list({ ...query, limit, cursor: cursor ?? undefined });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  return ids;
}

const createMany = (app: App, count: number, changes: object = {}) =>
  Promise.all(Array.from({ length: count }, () => app.tenants.create(newTenantRequest(changes))));

describe('the list of tenants [A2 T1]', () => {
  it('gives each of 300 tenants once, while others are made', async () => {
    const app = await alone();
    const before = await createMany(app, 300);
    const [listed] = await Promise.all([allPages(app, {}, 7), createMany(app, 60)]);
    expect(new Set(listed).size).toBe(listed.length);
    const missing = before.filter(({ id }) => !listed.includes(id));
    expect(missing).toEqual([]);
    expect(listed).toEqual([...listed].sort());
    expect(await allPages(app)).toHaveLength(360);
  });

  it('takes two round trips a page, however many there are', async () => {
    const calls: string[] = [];
    const app = await alone(calls);
    await createMany(app, 120, { plan: 'starter' });
    calls.length = 0;
    const page = await app.tenantList.list({ limit: 100, plan: 'starter' });
    expect(page.items).toHaveLength(100);
    expect(calls).toEqual(['list-tenants', 'read-tenants']);
  });

  it('finds by plan, by status, and by both, as they are now', async () => {
    const app = await alone();
    const [a, b, c] = await Promise.all(
      ['free', 'starter', 'starter'].map((plan) => app.tenants.create(newTenantRequest({ plan }))),
    );
    await app.tenantAdmin.suspend((b as { id: TenantId }).id, {});
    expect(await allPages(app, { plan: 'starter' })).toEqual([b?.id, c?.id].sort());
    expect(await allPages(app, { status: 'suspended' })).toEqual([b?.id]);
    expect(await allPages(app, { plan: 'starter', status: 'active' })).toEqual([c?.id]);
    await app.tenantAdmin.update((a as { id: TenantId }).id, { plan: 'enterprise' }, {});
    expect(await allPages(app, { plan: 'free' })).toEqual([]);
    await app.tenantAdmin.remove((c as { id: TenantId }).id, { undoMs: null });
    expect(await allPages(app, { status: 'deleted' })).toEqual([c?.id]);
    const index = (await app.redis.send(['ZCARD', keysOf(app).tenantIndex()], { kind: 'read' })) as number;
    expect(index).toBe(3 * 4);
  });

  it('searches names and owners, in any case, and what was renamed by its new name', async () => {
    const app = await alone();
    const owner = { id: 'o-77', name: 'Grace', email: 'grace@navy.test', organization: 'Navy' };
    const found = await app.tenants.create(newTenantRequest({ name: 'Čapek & Co', owner }));
    await createMany(app, 3);
    for (const text of ['čapek', 'ČAPEK & C', 'o-77', 'GRACE', '@navy', 'navy'])
      expect(await allPages(app, { text }), text).toEqual([found.id]);
    expect(await allPages(app, { text: 'nobody' })).toEqual([]);
    await app.tenantAdmin.update(found.id, { name: 'Rossum' }, {});
    expect(await allPages(app, { text: 'čapek' })).toEqual([]);
    expect(await allPages(app, { text: 'rossum', plan: 'free' })).toEqual([found.id]);
  });

  it('looks at 2,000 tenants in a call: a page may be empty, and says where to go on', async () => {
    const app = await alone();
    const keys = keysOf(app);
    const ids = Array.from({ length: 2_500 }, (_, i) => `tenant-${newUlid(i)}`);
    await app.redis.send(['ZADD', keys.tenantIndex(), ...ids.flatMap((id) => [0, `i\0${id}`])], { kind: 'write' });
    const rows = ids.flatMap((id) => [id, '1\tfree\tactive\tnothing to find']);
    await app.redis.send(['HSET', keys.tenantSummary(), ...rows], { kind: 'write' });
    const { id } = await app.tenants.create(newTenantRequest({ name: 'Needle' }));
    const first = await app.tenantList.list({ limit: 10, text: 'needle' });
    expect(first).toEqual({ items: [], next_cursor: ids[1_999] });
    const second = await app.tenantList.list({ limit: 10, text: 'needle', cursor: first.next_cursor ?? '' });
    expect(second).toMatchObject({ items: [{ id }], next_cursor: null });
  });

  it('ends a page that the last match fills, and begins the next after it', async () => {
    const app = await alone();
    await createMany(app, 4, { name: 'Match' });
    const first = await app.tenantList.list({ limit: 2, text: 'match' });
    expect(first.items).toHaveLength(2);
    expect(first.next_cursor).toBe(first.items[1]?.id);
    const second = await app.tenantList.list({ limit: 2, text: 'match', cursor: first.next_cursor ?? '' });
    expect(second).toMatchObject({ items: [{}, {}], next_cursor: null });
  });

  it('does not show what is older over what is newer', async () => {
    const app = await alone();
    const { id } = await app.tenants.create(newTenantRequest());
    const keys = keysOf(app);
    await app.tenantAdmin.update(id, { plan: 'starter' }, {});
    await app.redis.send(['HSET', keys.tenantSummary(), id, '9\tstarter\tactive\tx'], { kind: 'write' });
    await app.tenantAdmin.update(id, { plan: 'professional' }, {});
    expect(await app.redis.send(['HGET', keys.tenantSummary(), id], { kind: 'read' })).toBe('9\tstarter\tactive\tx');
  });

  it('takes in tenants of before there was a list', async () => {
    const app = await alone();
    const { id } = await app.tenants.create(newTenantRequest());
    const keys = keysOf(app);
    await app.redis.send(['DEL', keys.tenantIndex(), keys.tenantSummary()], { kind: 'write' });
    expect(await allPages(app)).toEqual([]);
    expect(await app.unpublished.publishLeft()).toEqual({ published: 1 });
    expect(await allPages(app)).toEqual([id]);
    expect(await app.unpublished.publishLeft()).toEqual({ published: 0 });
  });
});
