/** Keys, prefixes and numbers at the edges of what they may be, and what a batch at the limit of the memory costs. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import { AppError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, testApp } from '../support/app.ts';
import { auditCache } from '../support/cache-audit.ts';
import { gateState } from '../support/gate-state.ts';

const meta = { content_type: 'text/plain' };
const name = { namespace: 'ns', key: 'k' };
let app: App;
beforeAll(async () => {
  app = await testApp();
});

describe('odd keys [C1 C8]', () => {
  const PARTS = ['a', '%', '\0', '\x01', '\x7f', '\u{10FFFF}', 'é', ':', '*', '%00', '\ud7ff', '\n', '{', '}:g1:c:x:'];
  const KEYS = [...new Set([...PARTS, ...PARTS.flatMap((one) => PARTS.map((two) => one + two))])];

  const fill = async (caller: Caller, namespace: string) => {
    for (let at = 0; at < KEYS.length; at += 100) {
      const entries = KEYS.slice(at, at + 100).map((key) => ({ key, value: Buffer.from(key), meta, ttlMs: null }));
      await app.cache.setMany(caller, namespace, entries);
    }
  };
  const listed = async (caller: Caller, prefix: string) => {
    const keys: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await app.cache.list(caller, 'a', { prefix, cursor, limit: 7 });
      keys.push(...page.items.map(({ key }) => key));
      cursor = page.nextCursor;
    }
    return keys.sort();
  };
  const invalidate = (caller: Caller, selector: Selector, dry: boolean) =>
    app.invalidation.invalidate(caller, { selector, dry });
  const globOf = (prefix: string) => `${prefix.replace(/[*?[\]\\]/g, '\\$&')}*`;

  it('are listed, counted and invalidated by what they begin with, in their namespace alone', async () => {
    const { tenant, caller } = await newTenant(app);
    for (const namespace of ['a', 'a.b', 'a-']) await fill(caller, namespace);
    for (const prefix of [...PARTS, 'a%']) {
      const meant = KEYS.filter((key) => key.startsWith(prefix)).sort();
      expect(await listed(caller, prefix), prefix).toEqual(meant);
      const counted = { data: { would_invalidate: meant.length, exact: true } };
      expect(await invalidate(caller, { by: 'prefix', namespace: 'a', prefix }, true), prefix).toMatchObject(counted);
      const glob = { by: 'glob', namespace: 'a', glob: globOf(prefix) } as const;
      expect(await invalidate(caller, glob, true), prefix).toMatchObject(counted);
    }
    let left = KEYS;
    for (const prefix of ['\u{10FFFF}', '%', '\0', 'a%', ':']) {
      const kept = left.filter((key) => !key.startsWith(prefix));
      const done = await invalidate(caller, { by: 'prefix', namespace: 'a', prefix }, false);
      expect(done, prefix).toMatchObject({ data: { invalidated: left.length - kept.length } });
      left = kept;
    }
    expect(await listed(caller, '')).toEqual([...left].sort());
    const all = { data: { invalidated: KEYS.length } };
    expect(await invalidate(caller, { by: 'namespace', namespace: 'a.b' }, false)).toMatchObject(all);
    expect(await listed(caller, '')).toEqual([...left].sort());
    await auditCache(app, tenant.id);
  });
});

describe('a number [C4]', () => {
  const TEXTS = ['-0', '007', '00000000000000001', '-0000000000000001', '9007199254740990', '9007199254740991'];
  const NONE = [
    '9007199254740992',
    '99999999999999999',
    '1e3',
    ' 1',
    '1 ',
    '',
    '+1',
    '1.0',
    '0x10',
    '-',
    '--1',
    '１',
    '"1"',
  ];

  it.each([...TEXTS, ...NONE])('is the same to a tenant that encrypts: %j', async (text) => {
    const added = async (encryption: boolean) => {
      const { tenant, caller } = await newTenant(app, { encryption });
      await app.cache.set(caller, name, { value: Buffer.from(text), meta, ttlMs: null });
      const told = await app.cache.increment(caller, name, 1).then(
        ({ value }) => value,
        (error: unknown) => (error instanceof AppError ? error.code : error),
      );
      const entry = await app.cache.get(caller, name);
      await auditCache(app, tenant.id);
      return [told, entry !== null && 'value' in entry && entry.value.toString()];
    };
    const plain = await added(false);
    expect(await added(true)).toEqual(plain);
    expect(typeof plain[0]).toBe(TEXTS.slice(0, -1).includes(text) ? 'number' : 'string');
  });

  it('is added to once by the same operation, also of a tenant that encrypts', async () => {
    const { caller } = await newTenant(app, { encryption: true });
    for (const operation of ['first', 'second']) {
      const { value, etag } = await app.cache.increment(caller, name, 5, { operation });
      expect(await app.cache.increment(caller, name, 5, { operation })).toMatchObject({ value, etag });
    }
    expect(await app.cache.get(caller, name)).toMatchObject({ value: Buffer.from('10') });
  });
});

describe('a batch at the limit of the memory [C4 C13]', () => {
  it('is one operation, however often room is made for it, when another of its conditions fails', async () => {
    const quotas = { operations_per_minute: 1_000_000, memory_bytes: 60_000 };
    const { tenant, caller } = await newTenant(app, { quotas });
    const operations = async () => Number((await gateState(app, tenant.id).meter()).ops);
    const value = Buffer.alloc(900, 'v');
    for (let i = 0; i < 60; i++) await app.cache.set(caller, { ...name, key: `k${i}` }, { value, meta, ttlMs: null });
    const before = await operations();
    for (let i = 0; i < 20; i++) {
      const items = await app.cache.setMany(caller, 'ns', [
        { key: 'none', value, meta, condition: 'exists' },
        { key: `n${i}`, value, meta, ttlMs: null },
      ]);
      expect(items.map(({ status }) => status)).toEqual(['precondition_failed', 'created']);
    }
    expect((await operations()) - before).toBe(20);
    await auditCache(app, tenant.id);
  });
});
