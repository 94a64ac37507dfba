/** Many entries in one call: byte for byte, each with its own lifetime and outcome, on both transports. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { BatchEntry } from '../../lib/cache/batch/batch-writer.ts';
import { OutcomeUnknownError } from '../../lib/errors.ts';
import { EMPTY_CONTEXT, packContext } from '../../lib/gate/context-format.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { passMs } from '../support/redis-time.ts';
import { keysOf } from '../support/tenant-state.ts';

const NS = 'ns';
const meta = { content_type: 'application/octet-stream' };
const item = (key: string, value: string | Uint8Array, more: Partial<BatchEntry> = {}): BatchEntry => ({
  key,
  value: Buffer.from(value as string),
  meta,
  ttlMs: 60_000,
  ...more,
});
const many = (count: number, bytes = 4) =>
  Array.from({ length: count }, (_, i) => item(`k${i}`, `${i}`.padEnd(bytes, '.')));
const statuses = (items: readonly { readonly status: string }[]) => items.map(({ status }) => status);

const VALUES = [
  '',
  '123',
  'null',
  '"x"',
  '0',
  '-0',
  '9007199254740993',
  'a\0b',
  '\u0000',
  '\ufeffbom',
  'ž€😀',
  'true',
  '[]',
  '{}',
  'a,b\nc',
].map((text) => Buffer.from(text));
const BYTES = [Buffer.from([0xff, 0xfe]), Buffer.from([0xc3, 0x28]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0])];

describe.each(TRANSPORTS)('a batch over %s [C4]', (transport) => {
  let app: App;
  let trips = 0;
  const count: FailpointHook = ({ port, phase }) => {
    if (port === 'redis' && phase === 'before') trips++;
  };
  beforeAll(async () => {
    app = await testApp({ transport, failpoint: count });
  });
  const tripsOf = async <T>(work: () => Promise<T>) => {
    const before = trips;
    const result = await work();
    return { result, trips: trips - before };
  };

  it.each([false, true])('gives back each value byte for byte; encrypted: %s', async (encryption) => {
    const { tenant, caller } = await newTenant(app, { encryption });
    const entries = [...VALUES, ...BYTES].map((value, i) => item(`${i}`, value));
    expect(new Set(statuses(await app.cache.setMany(caller, NS, entries)))).toEqual(new Set(['created']));
    const found = await app.cache.getMany(
      caller,
      NS,
      entries.map(({ key }) => key),
    );
    expect(found.map((one) => one.status === 'hit' && 'value' in one.entry && one.entry.value)).toEqual(
      entries.map(({ value }) => value),
    );
    for (const { key, value } of entries)
      expect(await app.cache.get(caller, { namespace: NS, key })).toMatchObject({ value });
    expect(await auditTenant(app, tenant.id)).toBe(entries.length);
  });

  it('gives back whatever keys and values there are', async () => {
    const { tenant, caller } = await newTenant(app);
    const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.array(fc.uint8Array({ maxLength: 3_000 }), { minLength: 12, maxLength: 12 }),
        async (names, values) => {
          const entries = names.map((key, i) => item(key, values[i] as Uint8Array, { ttlMs: null }));
          await app.cache.setMany(caller, NS, entries);
          const found = await app.cache.getMany(caller, NS, names);
          for (const [i, one] of found.entries())
            expect(one).toMatchObject({ key: names[i], status: 'hit', entry: { value: entries[i]?.value } });
        },
      ),
      { numRuns: 25 },
    );
    await auditTenant(app, tenant.id);
  });

  it('takes one trip for 100, to write, read and remove', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.get(caller, { namespace: NS, key: 'warm' });
    const entries = many(250);
    const keys = entries.map(({ key }) => key);
    expect((await tripsOf(() => app.cache.setMany(caller, NS, entries))).trips).toBeLessThanOrEqual(6);
    const before = await gateState(app, tenant.id).meter();
    for (const [work, most] of [
      [() => app.cache.setMany(caller, NS, entries), 3],
      [() => app.cache.getMany(caller, NS, keys), 3],
      [() => app.cache.getMany(caller, NS, keys, { metaOnly: true }), 3],
    ] as const) {
      const { trips } = await tripsOf(work as () => Promise<unknown>);
      expect(trips).toBeLessThanOrEqual(most);
    }
    expect((await gateState(app, tenant.id).meter()).ops).toBe(before.ops + 9n);
    expect(await auditTenant(app, tenant.id)).toBe(250);
    expect(new Set(statuses(await app.cache.deleteMany(caller, NS, [...keys, 'none'])))).toEqual(
      new Set(['deleted', 'absent']),
    );
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });

  it('gives each item its own lifetime, to the ms, its own conditions and its own outcome', async () => {
    const { tenant, caller } = await newTenant(app);
    const [kept] = await app.cache.setMany(caller, NS, [item('kept', 'a', { ttlMs: null })]);
    const etag = kept?.status === 'created' ? kept.stored.etag : '';
    const items = await app.cache.setMany(caller, NS, [
      item('short', 'b', { ttlMs: 1 }),
      item('kept', 'c', { condition: 'absent' }),
      item('new', 'd', { condition: 'exists' }),
      item('graceful', 'e', { ttlMs: 1, graceMs: 60_000 }),
      item('bad', 'f', { meta: { content_type: 'ž' } }),
      item('large', Buffer.alloc(21 * 1024 * 1024)),
      item('default', 'g', { ttlMs: undefined }),
    ]);
    expect(statuses(items)).toEqual([
      'created',
      'precondition_failed',
      'precondition_failed',
      'created',
      'invalid',
      'too_large',
      'created',
    ]);
    await passMs(app);
    const keys = ['short', 'kept', 'graceful', 'default'];
    expect(statuses(await app.cache.getMany(caller, NS, keys))).toEqual(['miss', 'hit', 'miss', 'hit']);
    const stale = await app.cache.getMany(caller, NS, keys, { stale: true, metaOnly: true });
    expect(stale).toMatchObject([
      { status: 'miss' },
      { status: 'hit', entry: { etag, expiresAtMs: null, stale: false } },
      { status: 'hit', entry: { stale: true } },
      { status: 'hit' },
    ]);
    expect(
      statuses(await app.cache.setMany(caller, NS, [item('kept', 'h', { condition: { etags: [etag] } })])),
    ).toEqual(['replaced']);
    expect(await auditTenant(app, tenant.id)).toBe(4);
  });

  it('refuses what is no batch, and stores nothing of it', async () => {
    const { tenant, caller } = await newTenant(app);
    const twice = [item('a', '1'), item('b', '2'), item('a', '3')];
    await expect(app.cache.setMany(caller, NS, twice)).rejects.toMatchObject({
      code: 'invalid_request',
      issues: [{ field: 'keys.2', message: 'is the same key as keys.0' }],
    });
    for (const call of [
      app.cache.setMany(caller, NS, many(1_001)),
      app.cache.setMany(caller, NS, []),
      app.cache.setMany(caller, 'a:b', many(1)),
      app.cache.getMany(caller, NS, ['a', '']),
      app.cache.deleteMany(caller, NS, ['k\ud800']),
    ])
      await expect(call).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });

  it('stores what there is room for at the quota, in the order of the batch', async () => {
    const { tenant, caller } = await newTenant(app, {
      quotas: { memory_bytes: 20_000, operations_per_minute: 10_000 },
      cache: { eviction_policy: 'none' },
    });
    const items = await app.cache.setMany(caller, NS, many(60, 200));
    const stored = statuses(items).filter((status) => status === 'created').length;
    expect(stored).toBeGreaterThan(10);
    expect(stored).toBeLessThan(60);
    expect(statuses(items)).toEqual([...Array(stored).fill('created'), ...Array(60 - stored).fill('memory_full')]);
    expect(await auditTenant(app, tenant.id)).toBe(stored);
    const before = await gateState(app, tenant.id).meter();
    expect(new Set(statuses(await app.cache.setMany(caller, NS, many(60, 200).slice(stored))))).toEqual(
      new Set(['memory_full']),
    );
    expect((await gateState(app, tenant.id).meter()).ops).toBe(before.ops);
  });

  it('keeps what trips before a refusal did, and says what became of the rest', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.get(caller, { namespace: NS, key: 'k' });
    await gateState(app, tenant.id).setRate(60, 2);
    const items = await app.cache.setMany(caller, NS, many(350));
    expect(statuses(items).slice(0, 100)).toEqual(Array(100).fill('created'));
    expect(items.at(-1)).toMatchObject({ status: 'error', error: { status: 429 } });
    await expect(app.cache.getMany(caller, NS, ['a'])).rejects.toMatchObject({ status: 429 });
  });

  it('is refused as a whole when a policy denies one of its keys', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.setMany(caller, NS, many(3));
    const statements = [{ effect: 'deny', actions: ['cache:*'], resources: ['cache/ns/k1'] }] as const;
    await app.tenantPolicies.set(tenant.id, { default: 'allow', statements: statements as never }, {});
    for (const call of [
      () => app.cache.getMany(caller, NS, ['k0', 'k1']),
      () => app.cache.setMany(caller, NS, [item('k2', 'x'), item('k1', 'x')]),
      () => app.cache.deleteMany(caller, NS, ['k1', 'k2']),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'access_denied' });
    expect(await app.cache.getMany(caller, NS, ['k0', 'k2'])).toMatchObject([{ status: 'hit' }, { status: 'hit' }]);
    const { items } = await app.cache.list(caller, NS);
    expect(items.map(({ key }) => key)).toEqual(['k0', 'k2']);
  });

  it('removes what is damaged, as a miss', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.setMany(caller, NS, many(3));
    const key = keysOf(app).cacheEntry(tenant.id, 1, { namespace: NS, key: 'k1' });
    const length = Number(await app.redis.send(['STRLEN', key], { kind: 'read' }));
    await app.redis.send(['SETRANGE', key, length - 1, '~'], { kind: 'write' });
    expect(statuses(await app.cache.getMany(caller, NS, ['k0', 'k1', 'k2']))).toEqual(['hit', 'miss', 'hit']);
    expect(await auditTenant(app, tenant.id)).toBe(2);
  });

  it('reads no more than it is asked to, and defers the rest', async () => {
    const { caller } = await newTenant(app);
    await app.cache.setMany(caller, NS, many(30, 1_000));
    const keys = many(30).map(({ key }) => key);
    const items = await app.cache.getMany(caller, NS, keys, { maxBytes: 10_500 });
    expect(statuses(items)).toEqual([...Array(10).fill('hit'), ...Array(20).fill('deferred')]);
    expect(statuses(await app.cache.getMany(caller, NS, ['k0', 'k1'], { maxBytes: 999 }))).toEqual([
      'too_large',
      'too_large',
    ]);
  });

  it('writes and reads values too large for Redis like the others', async () => {
    const { tenant, caller } = await newTenant(app);
    const large = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7919 + (i >> 3)) & 255));
    const entries = [item('a', 'small'), item('large', large), item('z', 'small')];
    expect(statuses(await app.cache.setMany(caller, NS, entries))).toEqual(['created', 'created', 'created']);
    const found = await app.cache.getMany(caller, NS, ['z', 'large', 'a']);
    expect(found[1]).toMatchObject({ status: 'hit', entry: { value: large } });
    expect(statuses(found)).toEqual(['hit', 'hit', 'hit']);
    expect(await auditTenant(app, tenant.id)).toBe(3);
    expect(statuses(await app.cache.deleteMany(caller, NS, ['large', 'a', 'z', 'no']))).toEqual([
      'deleted',
      'deleted',
      'deleted',
      'absent',
    ]);
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });

  it('hides what was invalidated by an epoch from batches and lists', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.setMany(caller, NS, many(3));
    const { seq } = await gateState(app, tenant.id).meter();
    await gateState(app, tenant.id).write('v', `v1,${seq},0,0,0,0`);
    expect(statuses(await app.cache.getMany(caller, NS, ['k0', 'k1']))).toEqual(['miss', 'miss']);
    expect((await app.cache.list(caller, NS)).items).toEqual([]);
    expect(statuses(await app.cache.setMany(caller, NS, [item('k0', 'new')]))).toEqual(['created']);
    expect(statuses(await app.cache.getMany(caller, NS, ['k0', 'k1']))).toEqual(['hit', 'miss']);
    expect(statuses(await app.cache.deleteMany(caller, NS, ['k0', 'k1', 'k2']))).toEqual([
      'deleted',
      'absent',
      'absent',
    ]);
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });
});

it('is told of a context that it does not know: of a generation of before nothing is seen [C4]', async () => {
  const app = await testApp();
  const { tenant, caller } = await newTenant(app);
  await app.cache.setMany(caller, NS, many(2));
  const gate = gateState(app, tenant.id);
  await gate.write('x', packContext(EMPTY_CONTEXT));
  await gate.setLimits({ contextVersion: 2, generation: 2 });
  expect(statuses(await app.cache.getMany(caller, NS, ['k0', 'k1']))).toEqual(['miss', 'miss']);
});

it('meters a batch once when a reply is lost, and tells of each what became of it [C4 T6]', async () => {
  let lose = '';
  const app = await testApp({
    failpoint: ({ name, phase }) => {
      if (name !== lose || phase !== 'after') return;
      lose = '';
      throw new OutcomeUnknownError('lost');
    },
  });
  const { tenant, caller } = await newTenant(app);
  await app.cache.get(caller, { namespace: NS, key: 'none' });
  const { ops, bytesIn } = await gateState(app, tenant.id).meter();
  lose = 'set-cache-entries';
  expect(new Set(statuses(await app.cache.setMany(caller, NS, many(100))))).toEqual(new Set(['created']));
  expect(await gateState(app, tenant.id).meter()).toMatchObject({ ops: ops + 1n, bytesIn: bytesIn + 400n });
  lose = 'delete-cache-entries';
  const removed = await app.cache.deleteMany(caller, NS, ['k1', 'none', 'k2']);
  expect(statuses(removed)).toEqual(['deleted', 'absent', 'deleted']);
  expect((await gateState(app, tenant.id).meter()).ops).toBe(ops + 2n);
  expect(await auditTenant(app, tenant.id)).toBe(98);
});
