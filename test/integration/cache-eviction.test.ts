/** At a tenant's memory limit: its own coldest entries go, and nothing else. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { SetEntry } from '../../lib/cache/cache.ts';
import type { StoredEntry } from '../../lib/cache/entry.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { TenantId } from '../../lib/ids.ts';
import type { EntryName } from '../../lib/keys.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditRecords, auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { setAccess } from '../support/set-access.ts';
import { keysOf } from '../support/tenant-state.ts';

const named = (key: string): EntryName => ({ namespace: 'ns', key });
const bytesOf = (key: string, bytes = 1_000) => Buffer.alloc(bytes, `${key} `);
const entryOf = (key: string, bytes?: number): SetEntry => ({
  value: bytesOf(key, bytes),
  meta: { content_type: 'text/plain' },
  ttlMs: 3_600_000,
});
const limited = (memory: number) => ({ quotas: { operations_per_minute: 1_000_000, memory_bytes: memory } });
/** Not packed: what an entry costs is plain. */
const env = { PERSISTENCE_CACHE_ENABLE_COMPRESSION: 'false' };

describe.each(TRANSPORTS)('eviction over %s [C13]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport, env });
  });

  const fill = async (caller: Caller, keys: readonly string[], bytes?: number) => {
    for (const key of keys) await app.cache.set(caller, named(key), entryOf(key, bytes));
  };
  const left = async (caller: Caller, keys: readonly string[]) => {
    const found = await Promise.all(keys.map((key) => app.cache.head(caller, named(key))));
    return keys.filter((_key, i) => found[i] !== null);
  };
  const memoryOf = async (id: TenantId) => Number((await gateState(app, id).meter()).memory);

  it('removes the coldest first, and no more than makes some room', async () => {
    const { tenant, caller } = await newTenant(app, limited(20_000));
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'];
    await fill(caller, keys);
    await setAccess(app, tenant.id, named('d'), -3);
    await setAccess(app, tenant.id, named('b'), -2);
    await fill(caller, ['n']);
    expect(await left(caller, [...keys, 'n'])).toEqual([...keys.filter((key) => key !== 'd'), 'n']);
    await fill(caller, ['o'], 2_500);
    expect(await left(caller, ['a', 'b', 'c', 'n', 'o'])).not.toContain('b');
    await auditTenant(app, tenant.id);
    expect(await memoryOf(tenant.id)).toBeLessThanOrEqual(20_000);
  });

  it('keeps an entry that was read since it was chosen, or written', async () => {
    const { tenant, caller } = await newTenant(app, limited(20_000));
    await fill(caller, ['a', 'b', 'c', ...'pqrstuvwx']);
    for (const key of ['a', 'b', 'c']) await setAccess(app, tenant.id, named(key), -5);
    let used = false;
    const beside = await testApp({
      transport,
      env,
      failpoint: async ({ name, phase }) => {
        if (name !== 'remove-cache-entries' || phase !== 'before' || used) return;
        used = true;
        await app.cache.get(caller, named('a'));
        await app.cache.set(caller, named('b'), entryOf('b', 900));
      },
    });
    await beside.cache.set(caller, named('big'), entryOf('big', 8_000));
    expect(await left(caller, ['a', 'b', 'c', 'big'])).toEqual(['a', 'b', 'big']);
    await auditTenant(app, tenant.id);
  });

  it('does not evict the entry that is being replaced', async () => {
    const { tenant, caller } = await newTenant(app, limited(10_000));
    await fill(caller, ['own', 'b', 'c', 'd']);
    const before = await app.cache.head(caller, named('own'));
    await setAccess(app, tenant.id, named('own'), -9);
    const replaced = await app.cache.set(caller, named('own'), {
      ...entryOf('own', 6_000),
      condition: { etags: [before?.etag as string] },
    });
    expect(replaced.created).toBe(false);
    expect(await left(caller, ['own', 'b', 'c', 'd'])).toContain('own');
    await auditTenant(app, tenant.id);
  });

  it('answers 507 where the tenant chose no eviction, and where the value alone is too large', async () => {
    const none = await newTenant(app, { ...limited(5_000), cache: { eviction_policy: 'none' } });
    await fill(none.caller, ['a', 'b']);
    await expect(app.cache.set(none.caller, named('c'), entryOf('c', 3_000))).rejects.toMatchObject({
      code: 'memory_full',
      details: { resource: 'memory_bytes', limit: 5_000 },
    });
    expect(await left(none.caller, ['a', 'b'])).toEqual(['a', 'b']);
    const lru = await newTenant(app, limited(5_000));
    await fill(lru.caller, ['a', 'b']);
    await expect(app.cache.set(lru.caller, named('c'), entryOf('c', 6_000))).rejects.toMatchObject({
      code: 'memory_full',
    });
    expect(await left(lru.caller, ['a', 'b'])).toEqual(['a', 'b']);
  });

  it('touches neither other tenants nor other records', async () => {
    const [one, other] = await Promise.all([newTenant(app, limited(12_000)), newTenant(app, limited(12_000))]);
    await fill(other.caller, ['a', 'b', 'c']);
    await app.rateLimiter.check(one.caller, {
      name: 'logins',
      identifier: 'ada',
      limit: 5,
      windowMs: 3_600_000,
    });
    for (let i = 0; i < 40; i++) await fill(one.caller, [`k${i}`]);
    expect(await auditRecords(app, one.tenant.id)).toMatchObject({ l: 1 });
    expect(await left(other.caller, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
    expect(await auditTenant(app, other.tenant.id)).toBe(3);
  });

  it('evicts what is damaged or old last, and goes on beside it', async () => {
    const { tenant, caller } = await newTenant(app, limited(10_000));
    await fill(caller, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const key = keysOf(app).cacheEntry(tenant.id, 1, named('a'));
    await app.redis.send(['UNLINK', key], { kind: 'write' });
    await fill(caller, ['h', 'i', 'j']);
    expect(await left(caller, ['h', 'i', 'j'])).toEqual(['h', 'i', 'j']);
    expect(await memoryOf(tenant.id)).toBeLessThanOrEqual(10_000);
  });

  it('evicts what is left of values in S3 where nothing else is left to evict, with their objects', async () => {
    const large = await testApp({ transport, env: { ...env, PERSISTENCE_CACHE_INLINE_MAX_BYTES: '500' } });
    const { tenant, caller } = await newTenant(large, limited(6_000));
    const keys = Array.from({ length: 20 }, (_, i) => `k${i + 10}`);
    for (const key of keys) await large.cache.set(caller, named(key), entryOf(key));
    const meter = await gateState(large, tenant.id).meter();
    expect(meter.memory).toBeLessThanOrEqual(6_000n);
    expect(meter.storage).toBe(meter.entries * 1_000n);
    expect(await large.cache.get(caller, named('k29'))).toMatchObject({ value: bytesOf('k29') });
    expect(await auditTenant(large, tenant.id)).toBeLessThan(15);
  });

  it('serves 50 writers at once at the limit, and evicts little more than they need', async () => {
    const { tenant, caller } = await newTenant(app, limited(200_000));
    const old = Array.from({ length: 130 }, (_, i) => `old${i}`);
    await fill(caller, old);
    await Promise.all(old.map((key) => setAccess(app, tenant.id, named(key), -3)));
    const keys = Array.from({ length: 50 }, (_, i) => `new${i}`);
    await Promise.all(keys.map((key) => fill(caller, [key])));
    expect(await left(caller, keys)).toEqual(keys);
    expect(await auditTenant(app, tenant.id)).toBeGreaterThan(100);
    expect(await memoryOf(tenant.id)).toBeLessThanOrEqual(200_000);
  });
});

describe('10,000 values over a small budget [C13]', () => {
  it('never pass the limit, and the newest can always be read', async () => {
    const app = await testApp({ env });
    const { tenant, caller } = await newTenant(app, limited(300_000));
    let most = 0;
    for (let i = 0; i < 10_000; i += 50) {
      const keys = Array.from({ length: 50 }, (_, j) => `k${i + j}`);
      await Promise.all(keys.map((key) => app.cache.set(caller, named(key), entryOf(key, 500))));
      const newest = await app.cache.get(caller, named(`k${i + 49}`));
      expect((newest as StoredEntry | null)?.value.equals(bytesOf(`k${i + 49}`, 500))).toBe(true);
      most = Math.max(most, Number((await gateState(app, tenant.id).meter()).memory));
    }
    expect(most).toBeLessThanOrEqual(300_000);
    expect(most).toBeGreaterThan(250_000);
    // How much is freed at once depends on how many make room together; some 350 entries fit.
    expect(await auditTenant(app, tenant.id)).toBeGreaterThan(150);
  }, 120_000);

  it('whatever their sizes', async () => {
    const app = await testApp({ env });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(30), fc.nat(6_000)), { maxLength: 60 }), async (sets) => {
        const { tenant, caller } = await newTenant(app, limited(20_000));
        for (const [key, bytes] of sets) {
          await app.cache.set(caller, named(`k${key}`), entryOf(`k${key}`, bytes));
          expect(await app.cache.head(caller, named(`k${key}`))).toMatchObject({ rawBytes: bytes });
          expect(Number((await gateState(app, tenant.id).meter()).memory)).toBeLessThanOrEqual(20_000);
        }
        await auditTenant(app, tenant.id);
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});
