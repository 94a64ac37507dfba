/** What an entry may be called and may say of itself: the library holds to the law that HTTP does. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { EntryMeta } from '../../lib/cache/entry-format.ts';
import { newTenant, testApp } from '../support/app.ts';

const json: EntryMeta = { content_type: 'application/json' };
const text = (value: string) => Buffer.from(value, 'utf8');
const entry = (key: string) => ({ namespace: 'ns', key });

let app: App;
beforeAll(async () => {
  app = await testApp();
});

describe('names [C1]', () => {
  it.each([
    ['another namespace', { namespace: 'a:b', key: 'k' }],
    ['no namespace', { namespace: '', key: 'k' }],
    ['no key', { namespace: 'ns', key: '' }],
    ['another key as UTF-8', { namespace: 'ns', key: 'k\ud800' }],
    ['too much', { namespace: 'ns', key: '€'.repeat(342) }],
  ])('refuses a name that would mean %s', async (_what, name) => {
    const { caller } = await newTenant(app);
    const set = app.cache.set(caller, name, { value: text('1'), meta: json, ttlMs: null });
    for (const call of [set, app.cache.get(caller, name), app.cache.head(caller, name), app.cache.delete(caller, name)])
      await expect(call).rejects.toMatchObject({ code: 'invalid_request', issues: [{}] });
    expect((await app.account.identify(caller)).used.entries).toBe(0);
  });
});

describe('lifetimes [C2]', () => {
  it.each([0, -1, 0.5, Number.NaN, 315_360_000_001, 1e21])('takes no lifetime of %d ms for another', async (ttlMs) => {
    const { caller } = await newTenant(app);
    const set = app.cache.set(caller, entry('k'), { value: text('1'), meta: json, ttlMs });
    await expect(set).rejects.toMatchObject({ code: 'invalid_request', issues: [{ field: 'ttlMs' }] });
    expect(await app.cache.get(caller, entry('k'))).toBeNull();
  });
});

describe('metadata that HTTP could not carry [C3]', () => {
  it.each<[string, Partial<EntryMeta>]>([
    ['content_type', { content_type: 'text/plain\r\nset-cookie: a=b' }],
    ['version', { version: 'ž' }],
    ['source', { source: '' }],
    ['tags', { tags: ['a,b'] }],
    ['tags', { tags: Array.from({ length: 33 }, (_, i) => `t${i}`) }],
    ['attributes', { attributes: { a: 'x'.repeat(5_000) } }],
    ['attributes', { attributes: { a: 'ž'.repeat(700) } }],
    [
      'metadata',
      { attributes: { a: 'x'.repeat(4_000) }, tags: Array.from({ length: 32 }, (_, i) => `${i}`.padEnd(128, 't')) },
    ],
  ])('is refused: %s', async (field, more) => {
    const { caller } = await newTenant(app);
    const set = app.cache.set(caller, entry('k'), { value: text('1'), meta: { ...json, ...more }, ttlMs: null });
    await expect(set).rejects.toMatchObject({ code: 'invalid_request', issues: [{ field }] });
  });

  it('comes back whole at its limits', async () => {
    const { caller } = await newTenant(app);
    const meta: EntryMeta = {
      content_type: 'c'.repeat(255),
      version: 'v'.repeat(128),
      source: 's'.repeat(256),
      tags: Array.from({ length: 32 }, (_, i) => `${i}`.padEnd(128, 't')),
      attributes: { a: 'x'.repeat(3_300) },
    };
    const { etag } = await app.cache.set(caller, entry('k'), { value: text('1'), meta, ttlMs: 60_000 });
    expect(await app.cache.head(caller, entry('k'))).toMatchObject({ meta });
    expect(await app.cache.get(caller, entry('k'), { ifNoneMatch: [etag] })).toMatchObject({ meta, unchanged: true });
    expect(await app.cache.get(caller, entry('k'))).toMatchObject({ meta, value: text('1') });
  });
});

describe('conditions [C10]', () => {
  it('takes no ETag for a condition', async () => {
    const { caller } = await newTenant(app);
    const set = (etag: string) =>
      app.cache.set(caller, entry('k'), { value: text('1'), meta: json, ttlMs: null, condition: { etags: [etag] } });
    await expect(set('absent')).rejects.toMatchObject({ code: 'precondition_failed' });
    await app.cache.set(caller, entry('k'), { value: text('1'), meta: json, ttlMs: null });
    await expect(set('exists')).rejects.toMatchObject({ code: 'precondition_failed' });
    expect(await app.cache.get(caller, entry('k'), { ifNoneMatch: ['*'] })).toMatchObject({ value: text('1') });
  });
});
