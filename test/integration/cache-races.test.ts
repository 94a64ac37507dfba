/** What comes between a load, a write and an invalidation of the same entry; and what a known absence is to writes. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import type { Obtained } from '../../lib/cache/loading/get-or-set-options.ts';
import { OutcomeUnknownError } from '../../lib/errors.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditCache } from '../support/cache-audit.ts';

const name = { namespace: 'ns', key: 'k' };
const meta = { content_type: 'text/plain' };
const bytes = (text: string) => Buffer.from(text);
const textOf = (obtained: Obtained | null) => obtained?.value.toString() ?? null;
const once = (text: string) => async () => ({ value: bytes(text), meta });

/** A load that ends when it is told to. */
function gatedLoad(text: string) {
  const began = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const load = async () => {
    began.resolve();
    await ended.promise;
    return { value: bytes(text), meta };
  };
  return { load, began: began.promise, end: ended.resolve };
}

describe.each(TRANSPORTS)('loads beside invalidations over %s [C7 C8]', (transport) => {
  let app: App;
  let other: App;
  beforeAll(async () => {
    [app, other] = await Promise.all([testApp({ transport }), testApp({ transport })]);
  });

  describe.each<readonly [string, Selector]>([
    ['its namespace', { by: 'namespace', namespace: 'ns' }],
    ['a prefix', { by: 'prefix', namespace: 'ns', prefix: 'k' }],
    ['all', { by: 'all' }],
    ['its tag', { by: 'tags', tags: ['t'] }],
  ])('%s', (what, selector) => {
    const hidden = what === 'its tag';
    it('does not give who asks after an invalidation what was loaded before it', async () => {
      const { tenant, caller } = await newTenant(app);
      if (hidden) {
        await app.cache.set(caller, name, {
          value: bytes('first'),
          meta: { ...meta, tags: ['t'] },
          ttlMs: 1,
          graceMs: 60_000,
        });
        await expect.poll(() => app.cache.get(caller, name), { timeout: 5_000 }).toBeNull();
      }
      const before = gatedLoad('before');
      const first = app.cache.getOrSet(caller, name, before.load, { tags: ['t'], whenBusy: 'wait' });
      await before.began;
      await other.invalidation.invalidate(caller, { selector, dry: false });
      const asked = [app, other].map((one) => one.cache.getOrSet(caller, name, once('after'), { tags: ['t'] }));
      // They wait by then: their questions were before this one.
      await Promise.all([app, other].map((one) => one.cache.head(caller, { namespace: 'ns', key: 'another' })));
      before.end();
      expect((await Promise.all(asked)).map(textOf)).toEqual(['after', 'after']);
      expect(await first).toMatchObject({ value: bytes('before'), notStored: 'lease_lost' });
      await auditCache(app, tenant.id);
    });
  });

  it('lets the next load at once when one was refused because of an invalidation', async () => {
    const { caller } = await newTenant(app);
    const before = gatedLoad('before');
    const first = app.cache.getOrSet(caller, name, before.load, { tags: ['t'], leaseMs: 60_000 });
    await before.began;
    await other.invalidation.invalidate(caller, { selector: { by: 'tags', tags: ['t'] }, dry: false });
    before.end();
    expect(await first).toMatchObject({ notStored: 'lease_lost' });
    const { lease } = await other.cache.getOrLease(caller, name, { leaseMs: 1_000, earlyShare: 0 });
    expect(lease.state).toBe('granted');
  });

  it('gives the lease of a load back that nobody waits for any more', async () => {
    const { caller } = await newTenant(app);
    const given = new AbortController();
    const began = Promise.withResolvers<void>();
    const call = app.cache.getOrSet(
      { ...caller, signal: given.signal },
      name,
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          began.resolve();
          signal.addEventListener('abort', () => reject(new Error('given up')));
        }),
      { leaseMs: 60_000 },
    );
    await began.promise;
    given.abort();
    await expect(call).rejects.toThrow();
    const lease = async () =>
      (await other.cache.getOrLease(caller, name, { leaseMs: 1_000, earlyShare: 0 })).lease.state;
    await expect.poll(lease, { timeout: 2_000 }).toBe('granted');
  });

  it('does not store what was loaded over an entry that was written since and evicted', async () => {
    const { tenant, caller } = await newTenant(app, {
      quotas: { operations_per_minute: 1_000_000, memory_bytes: 100_000 },
    });
    const { lease } = await app.cache.getOrLease(caller, name, { leaseMs: 60_000, earlyShare: 0 });
    await app.cache.set(caller, name, { value: bytes('newer'), meta, ttlMs: null });
    for (let i = 0; (await other.cache.head(caller, name)) !== null && i < 1_000; i++)
      for (let j = 0; j < 20; j++)
        await app.cache.set(
          caller,
          { namespace: 'ns', key: `o${i}-${j}` },
          { value: Buffer.alloc(900, 'x'), meta, ttlMs: null },
        );
    const token = lease.state === 'granted' ? lease.token : '';
    await expect(
      app.cache.set(caller, name, { value: bytes('older'), meta, ttlMs: null, lease: token }),
    ).rejects.toMatchObject({ code: 'lease_lost' });
    await auditCache(app, tenant.id);
  });
});

describe('an upload whose commit got no answer [C6 C7]', () => {
  it('leaves no copy of what was before to answer from', async () => {
    let lost = false;
    const failpoint: FailpointHook = ({ name: script, phase }) => {
      if (lost && script === 'set-cache-entry' && phase === 'after') throw new OutcomeUnknownError('lost');
    };
    const app = await testApp({ failpoint });
    const { caller } = await newTenant(app, { cache: { namespaces: { ns: { max_stale_ms: 60_000 } } } });
    await app.cache.set(caller, name, { value: bytes('before'), meta, ttlMs: null });
    expect(await app.cache.get(caller, name)).toMatchObject({ value: bytes('before') });
    const value = bytes('uploaded');
    const { uploadId, url, headers } = await app.cache.beginUpload(caller, name, value.length);
    expect((await fetch(url, { method: 'PUT', headers, body: value })).status).toBe(200);
    lost = true;
    await expect(app.cache.commitUpload(caller, name, uploadId, { meta, ttlMs: null })).rejects.toThrow();
    expect(await app.cache.get(caller, name)).toMatchObject({ value });
  });
});

describe.each([false, true])('a known absence, encryption %s [C1 C7 C10]', (encryption) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp();
  });
  const absent = async () => {
    const { tenant, caller } = await newTenant(app, { encryption });
    expect(await app.cache.getOrSet(caller, name, async () => null, { negativeTtlMs: 60_000 })).toBeNull();
    return { caller, audit: () => auditCache(app, tenant.id) };
  };
  const entry = { value: bytes('v'), meta, ttlMs: null };
  it('is nothing to conditions', async () => {
    const { caller, audit } = await absent();
    await expect(app.cache.set(caller, name, { ...entry, condition: 'exists' })).rejects.toMatchObject({
      code: 'precondition_failed',
    });
    const [item] = await app.cache.setMany(caller, 'ns', [{ ...entry, key: 'k', condition: 'exists' }]);
    expect(item?.status).toBe('precondition_failed');
    expect(await app.cache.set(caller, name, { ...entry, condition: 'absent' })).toMatchObject({ created: true });
    expect(await audit()).toBe(1);
  });
  it('is nothing to delete', async () => {
    const { caller, audit } = await absent();
    expect(await app.cache.previewDelete(caller, name)).toMatchObject({ would_remove: 0 });
    expect(await app.cache.delete(caller, name)).toBe(false);
    expect(await audit()).toBe(0);
  });
  it('is nothing to delete among others', async () => {
    const { caller, audit } = await absent();
    expect(await app.cache.deleteMany(caller, 'ns', ['k'])).toMatchObject([{ status: 'absent' }]);
    expect(await audit()).toBe(0);
  });
  it('is nothing to touch', async () => {
    const { caller } = await absent();
    expect(await app.cache.touch(caller, name, { ttlMs: null })).toBeNull();
  });
  it('is a number that begins at 0', async () => {
    const { caller, audit } = await absent();
    expect(await app.cache.increment(caller, name, 5)).toMatchObject({ value: 5, created: true });
    expect(await audit()).toBe(1);
  });
  it('is a number that begins at 0, tagged', async () => {
    const { tenant, caller } = await newTenant(app, { encryption });
    await app.cache.getOrSet(caller, name, async () => null, {
      negativeTtlMs: 60_000,
      tags: ['a', 'b'.repeat(128), 'c'.repeat(128), 'd'.repeat(128)],
    });
    expect(await app.cache.increment(caller, name, 5)).toMatchObject({ value: 5, created: true });
    expect(await auditCache(app, tenant.id)).toBe(1);
  });
  it.each(['a', 'order-1', 'x y', '%', 'a.b(c', 'ä'.repeat(900)])(
    'operations may be called anything: %s',
    async (operation) => {
      const { tenant, caller } = await newTenant(app, { encryption });
      if (!encryption) {
        const one = await app.cache.increment(caller, name, 5, { operation });
        expect(await app.cache.increment(caller, name, 5, { operation })).toEqual(one);
        expect(await app.cache.get(caller, name)).toMatchObject({ value: bytes('5') });
      }
      const first = await app.cache.setMany(caller, 'ns', [{ ...entry, key: 'b' }], { operation });
      expect(await app.cache.setMany(caller, 'ns', [{ ...entry, key: 'b' }], { operation })).toEqual(first);
      expect(await app.cache.get(caller, { namespace: 'ns', key: 'b' })).toMatchObject({ value: bytes('v') });
      const gone = await app.cache.deleteMany(caller, 'ns', ['b'], { operation });
      expect(await app.cache.deleteMany(caller, 'ns', ['b'], { operation })).toEqual(gone);
      await auditCache(app, tenant.id);
    },
  );
});
