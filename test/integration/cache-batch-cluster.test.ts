/** Batches, lists, numbers and lifetimes on a Cluster: all keys of a call are in one slot, and all are declared. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newTenant } from '../support/app.ts';
import { useClusterApp } from '../support/cluster-app.ts';

const clusterApp = useClusterApp();
let app: App;
beforeAll(() => {
  app = clusterApp();
});

describe('on a Cluster [C4 C2]', () => {
  it.each([1, 2, 3, 4])('works for a tenant wherever its slot is (%i)', async () => {
    const { caller } = await newTenant(app);
    const meta = { content_type: 'text/plain', tags: ['a'] };
    const keys = Array.from({ length: 150 }, (_, i) => `{other}${i}`);
    const entries = keys.map((key) => ({ key, value: Buffer.from(key), meta, ttlMs: 60_000 }));
    const stored = await app.cache.setMany(caller, 'ns', entries);
    expect(new Set(stored.map(({ status }) => status))).toEqual(new Set(['created']));
    const found = await app.cache.getMany(caller, 'ns', keys);
    expect(found).toMatchObject(entries.map(({ key, value }) => ({ key, status: 'hit', entry: { value } })));
    const { items, nextCursor } = await app.cache.list(caller, 'ns', { prefix: '{other}' });
    expect(items).toHaveLength(100);
    expect(nextCursor).not.toBeNull();
    const number = { namespace: 'ns', key: '{n}' };
    await app.cache.increment(caller, number, 1);
    expect(await app.cache.increment(caller, number, 1)).toMatchObject({ value: 2 });
    expect(await app.cache.touch(caller, number, { ttlMs: null })).toMatchObject({ expiresAtMs: null });
    const removed = await app.cache.deleteMany(caller, 'ns', keys);
    expect(new Set(removed.map(({ status }) => status))).toEqual(new Set(['deleted']));
  });
});
