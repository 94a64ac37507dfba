import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningCluster, startCluster } from '../../infra/local/redis/start-cluster.ts';
import type { App } from '../../lib/app.ts';
import type { EntryMeta } from '../../lib/cache/entry-format.ts';
import { createKeys } from '../../lib/keys.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';

const keys = createKeys('riptide:v1:');
const json: EntryMeta = { content_type: 'application/json' };
const text = (value: string) => Buffer.from(value, 'utf8');
const entry = (key: string) => ({ namespace: 'ns', key });

describe.each([...TRANSPORTS, 'cluster'] as const)('cache over %s', (setup) => {
  let app: App;
  let cluster: RunningCluster | undefined;
  beforeAll(async () => {
    const own = setup === 'cluster' ? await ownCluster() : undefined;
    cluster = own?.cluster;
    app = await open();
    return own?.stop;
  });

  const open = (changes: Readonly<Record<string, string>> = {}) =>
    cluster === undefined
      ? testApp({ transport: setup === 'rest' ? 'rest' : 'tcp', env: changes })
      : testApp({ env: { REDIS_URL: cluster.url, PERSISTENCE_REDIS_CLUSTER_MODE: 'true', ...changes } });

  const indexOf = async (tenantId: Parameters<typeof keys.index>[0]) =>
    (await app.redis.send(['ZRANGE', keys.index(tenantId, 1), 0, -1], { kind: 'read' })) as readonly string[];
  const used = async (caller: Parameters<App['cache']['get']>[0]) => (await app.account.identify(caller)).used;

  describe('entries [C1]', () => {
    it('gives back the very bytes, whatever they are', async () => {
      const { caller } = await newTenant(app);
      const samples = [
        '',
        '"123"',
        '123',
        'null',
        'OK',
        'aGVsbG8=',
        '\u0000',
        '9007199254740993',
        'žluť 🙂',
        '\ufeffbom',
      ];
      for (const sample of samples) {
        await app.cache.set(caller, entry('k'), { value: text(sample), meta: json, ttlMs: null });
        expect((await found(app.cache.get(caller, entry('k')))).value.toString('utf8')).toBe(sample);
      }
    });

    it('gives back any bytes, packed or not', async () => {
      const { caller } = await newTenant(app);
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 3_000 }),
        fc.string({ unit: 'binary', maxLength: 2_000 }).map((value) => text(value)),
        fc
          .tuple(fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 900 }))
          .map(([unit, times]) => Buffer.concat(Array(times).fill(unit))),
      );
      await fc.assert(
        fc.asyncProperty(bytes, async (value) => {
          await app.cache.set(caller, entry('any'), {
            value,
            meta: { content_type: 'application/octet-stream' },
            ttlMs: 60_000,
          });
          expect((await found(app.cache.get(caller, entry('any')))).value.equals(value)).toBe(true);
        }),
        { numRuns: 60 },
      );
    });

    it('keeps namespaces and tenants apart', async () => {
      const [a, b] = [await newTenant(app), await newTenant(app)];
      await app.cache.set(a.caller, { namespace: 'one', key: 'k' }, { value: text('a1'), meta: json, ttlMs: null });
      await app.cache.set(a.caller, { namespace: 'two', key: 'k' }, { value: text('a2'), meta: json, ttlMs: null });
      expect((await found(app.cache.get(a.caller, { namespace: 'one', key: 'k' }))).value.toString()).toBe('a1');
      expect(await app.cache.get(b.caller, { namespace: 'one', key: 'k' })).toBeNull();
      expect(await app.cache.delete(b.caller, { namespace: 'one', key: 'k' })).toBe(false);
      expect((await found(app.cache.get(a.caller, { namespace: 'two', key: 'k' }))).value.toString()).toBe('a2');
    });

    it('takes keys that are dangerous elsewhere', async () => {
      const { caller } = await newTenant(app);
      const awkward = [
        '{}',
        '{a}{b}',
        '*',
        'a:b',
        '..',
        '../../etc',
        '%2f',
        '%00',
        'a\u0000b',
        'a\r\nb',
        '__proto__',
        'ž🙂',
        ' ',
        'k'.repeat(1_024),
        '\u0001'.repeat(1_024),
        '€'.repeat(341),
      ];
      for (const key of awkward) await app.cache.set(caller, entry(key), { value: text(key), meta: json, ttlMs: null });
      for (const key of awkward) expect((await found(app.cache.get(caller, entry(key)))).value.toString()).toBe(key);
      expect((await used(caller)).entries).toBe(awkward.length);
    });

    it('says what a removal would give back, to the byte, and leaves everything as it is', async () => {
      const { caller, tenant } = await newTenant(app);
      const { etag } = await app.cache.set(caller, entry('k'), { value: text('x'), meta: json, ttlMs: 60_000 });
      const gate = gateState(app, tenant.id);
      const [before, index] = [await gate.meter(), await indexOf(tenant.id)];
      const bytes = Number(before.memory);
      const preview = (etags?: string[]) => app.cache.previewDelete(caller, entry('k'), etags ? { etags } : 'exists');
      for (const known of [undefined, [etag]]) expect(await preview(known)).toEqual({ would_remove: 1, bytes });
      await expect(preview(['x'.repeat(22)])).rejects.toMatchObject({ code: 'precondition_failed' });
      expect(await app.cache.previewDelete(caller, entry('none'))).toEqual({ would_remove: 0, bytes: 0 });
      const { memory, entries, seq, ops } = await gate.meter();
      expect([memory, entries, seq, ops]).toEqual([before.memory, before.entries, before.seq, before.ops + 4n]);
      expect(await indexOf(tenant.id)).toEqual(index);
      await app.cache.delete(caller, entry('k'));
      expect(await preview().catch((error) => error.code)).toBe('precondition_failed');
      expect((await gate.meter()).memory).toBe(0n);
    });

    it('removes an entry with its bytes and its place in the index', async () => {
      const { caller, tenant } = await newTenant(app);
      await app.cache.set(caller, entry('k'), { value: text('x'), meta: json, ttlMs: 60_000 });
      expect(await indexOf(tenant.id)).toHaveLength(3);
      expect(await app.cache.delete(caller, entry('k'))).toBe(true);
      expect(await app.cache.delete(caller, entry('k'))).toBe(false);
      expect(await app.cache.get(caller, entry('k'))).toBeNull();
      expect(await indexOf(tenant.id)).toEqual([]);
      expect(await used(caller)).toMatchObject({ memory_bytes: 0, entries: 0 });
    });
  });

  describe('lifetimes [C2]', () => {
    it('never expires only when told so', async () => {
      const { caller } = await newTenant(app);
      const never = await app.cache.set(caller, entry('never'), { value: text('1'), meta: json, ttlMs: null });
      const soon = await app.cache.set(caller, entry('soon'), { value: text('1'), meta: json, ttlMs: 60_000 });
      expect(never.expiresAtMs).toBeNull();
      expect(soon.expiresAtMs).toBe(soon.updatedAtMs + 60_000);
    });

    it('is gone when its time has come, and its bytes with it', async () => {
      const { caller, tenant } = await newTenant(app);
      await app.cache.set(caller, entry('brief'), { value: text('x'), meta: json, ttlMs: 1 });
      await expect.poll(() => app.cache.get(caller, entry('brief'))).toBeNull();
      expect(await used(caller)).toMatchObject({ memory_bytes: 0, entries: 0 });
      expect(await indexOf(tenant.id)).toEqual([]);
    });

    it('is removed by cleanup when nobody asks for it', async () => {
      const { caller, tenant } = await newTenant(app);
      for (let i = 0; i < 20; i++)
        await app.cache.set(caller, entry(`brief-${i}`), { value: text('x'), meta: json, ttlMs: 1 });
      await app.cache.set(caller, entry('stays'), { value: text('x'), meta: json, ttlMs: null });
      const entriesAfterCleanUp = async () => {
        await app.cleanUp.run();
        return (await used(caller)).entries;
      };
      await expect.poll(entriesAfterCleanUp).toBe(1);
      expect(await indexOf(tenant.id)).toHaveLength(2);
    });

    it('is removed by cleanup beside a tenant whose gate cannot be read, which is told', async () => {
      const [broken, { caller, tenant }] = [await newTenant(app), await newTenant(app)];
      const gate = keys.gate(broken.tenant.id);
      const header = (await app.redis.send(['HGET', gate, 'h'], { kind: 'read' })) as string;
      await app.redis.send(['HSET', gate, 'h', 'damaged'], { kind: 'write' });
      await app.cache.set(caller, entry('brief'), { value: text('x'), meta: json, ttlMs: 1 });
      await expect.poll(async () => (await app.cleanUp.run()).unreadable).toBeGreaterThan(0);
      await expect.poll(async () => [(await app.cleanUp.run()).finished, await indexOf(tenant.id)]).toEqual([true, []]);
      await app.redis.send(['HSET', gate, 'h', header], { kind: 'write' });
    });

    it('keeps an entry that was written again with a longer life', async () => {
      const { caller, tenant } = await newTenant(app);
      await app.cache.set(caller, entry('k'), { value: text('old'), meta: json, ttlMs: 1 });
      await app.cache.set(caller, entry('k'), { value: text('new'), meta: json, ttlMs: null });
      await app.cleanUp.run();
      expect((await found(app.cache.get(caller, entry('k')))).value.toString()).toBe('new');
      expect(await indexOf(tenant.id)).toHaveLength(2);
    });
  });

  describe('metadata [C3]', () => {
    it('comes back with the value, and without it', async () => {
      const { caller } = await newTenant(app);
      const meta: EntryMeta = {
        content_type: 'text/plain; charset=utf-8',
        version: '7',
        source: 'db 1',
        tags: ['a', 'b'],
        attributes: { klíč: 'ž"\\\n' },
      };
      await app.cache.set(caller, entry('k'), { value: text('v'.repeat(5_000)), meta, ttlMs: 60_000 });
      expect((await found(app.cache.get(caller, entry('k')))).meta).toEqual(meta);
      expect(await app.cache.head(caller, entry('k'))).toMatchObject({ meta, rawBytes: 5_000 });
      expect(await app.cache.head(caller, entry('none'))).toBeNull();
    });
  });

  describe('conditions [C10]', () => {
    it('answers unchanged to who has the value, and the value to who has another', async () => {
      const { caller } = await newTenant(app);
      const { etag } = await app.cache.set(caller, entry('k'), { value: text('v'), meta: json, ttlMs: null });
      expect(await app.cache.get(caller, entry('k'), { ifNoneMatch: ['other', etag] })).toMatchObject({
        unchanged: true,
        etag,
      });
      expect(await app.cache.get(caller, entry('k'), { ifNoneMatch: '*' })).toMatchObject({ unchanged: true, etag });
      expect((await found(app.cache.get(caller, entry('k'), { ifNoneMatch: ['other'] }))).value.toString()).toBe('v');
    });

    it('creates once when 32 callers race', async () => {
      const { caller } = await newTenant(app);
      const racing = Array.from({ length: 32 }, (_, i) =>
        app.cache.set(caller, entry('k'), { value: text(`${i}`), meta: json, ttlMs: null, condition: 'absent' }),
      );
      const outcomes = await Promise.allSettled(racing);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'precondition_failed' });
    });

    it('replaces and removes only what the condition names', async () => {
      const { caller } = await newTenant(app);
      const set = (value: string, condition: 'exists' | { etags: string[] }) =>
        app.cache.set(caller, entry('k'), { value: text(value), meta: json, ttlMs: null, condition });
      await expect(set('1', 'exists')).rejects.toMatchObject({ code: 'precondition_failed' });
      const first = await app.cache.set(caller, entry('k'), { value: text('1'), meta: json, ttlMs: null });
      const second = await set('2', { etags: [first.etag] });
      await expect(set('3', { etags: [first.etag] })).rejects.toMatchObject({ code: 'precondition_failed' });
      await expect(app.cache.delete(caller, entry('k'), { etags: [first.etag] })).rejects.toMatchObject({
        code: 'precondition_failed',
      });
      await expect(app.cache.delete(caller, entry('k'), { etags: [] })).rejects.toMatchObject({
        code: 'precondition_failed',
      });
      expect(await app.cache.delete(caller, entry('k'), { etags: [second.etag] })).toBe(true);
    });
  });

  describe('compression [C5]', () => {
    it('packs what is large enough and shrinks, and says so in what is charged', async () => {
      const { caller } = await newTenant(app);
      const large = await app.cache.set(caller, entry('large'), {
        value: text('abcdefgh'.repeat(2_000)),
        meta: json,
        ttlMs: null,
      });
      const small = await app.cache.set(caller, entry('small'), {
        value: text('a'.repeat(1_024)),
        meta: json,
        ttlMs: null,
      });
      expect(large.storedBytes).toBeLessThan(large.rawBytes / 10);
      expect(small.storedBytes).toBe(small.rawBytes);
    });

    it('reads what was packed under another setting', async () => {
      const { caller } = await newTenant(app);
      const value = text('{"a":[1,2,3]}'.repeat(500));
      for (const algorithm of ['none', 'zstd', 'lz4']) {
        const other = await open({ PERSISTENCE_CACHE_COMPRESSION_ALGORITHM: algorithm });
        await other.cache.set(caller, entry(algorithm), { value, meta: json, ttlMs: null });
        expect((await found(app.cache.get(caller, entry(algorithm)))).value.equals(value)).toBe(true);
      }
    });
  });

  describe('memory of a tenant [C13]', () => {
    it('refuses what does not fit, changes nothing, and takes what does', async () => {
      const { caller } = await newTenant(app, { quotas: { memory_bytes: 3_000, operations_per_minute: 1_000_000 } });
      await app.cache.set(caller, entry('a'), { value: text('x'.repeat(1_000)), meta: json, ttlMs: null });
      const before = await used(caller);
      await expect(
        app.cache.set(caller, entry('b'), { value: randomBytes(3_000), meta: json, ttlMs: null }),
      ).rejects.toMatchObject({
        code: 'memory_full',
        details: { resource: 'memory_bytes', limit: 3_000, used: before.memory_bytes, held: 0 },
      });
      expect((await used(caller)).memory_bytes).toBe(before.memory_bytes);
      await app.cache.set(caller, entry('a'), { value: text('y'.repeat(1_000)), meta: json, ttlMs: null });
    });

    it('makes room of what has expired before it refuses', async () => {
      const { caller, tenant } = await newTenant(app, {
        quotas: { memory_bytes: 3_000, operations_per_minute: 1_000_000 },
      });
      const value = randomBytes(1_000);
      await app.cache.set(caller, entry('old'), { value, meta: json, ttlMs: 1 });
      await app.cache.set(caller, entry('a'), { value: text('a'), meta: json, ttlMs: null });
      await expect.poll(() => app.cache.set(caller, entry('b'), { value, meta: json, ttlMs: null })).toBeTruthy();
      expect(await app.cache.get(caller, entry('b'))).toMatchObject({ value });
      expect(await auditTenant(app, tenant.id)).toBe(2);
    });

    it('counts exactly what is stored, after any mix of writes', async () => {
      const { caller, tenant } = await newTenant(app);
      const step = fc.record({
        key: fc.nat(5),
        size: fc.nat(2_500),
        remove: fc.boolean(),
        ttl: fc.constantFrom(null, 1, 60_000),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          for (const { key, size, remove, ttl } of steps) {
            if (remove) await app.cache.delete(caller, entry(`k${key}`));
            else
              await app.cache.set(caller, entry(`k${key}`), { value: Buffer.alloc(size, 7), meta: json, ttlMs: ttl });
          }
          const stored = await Promise.all(
            [0, 1, 2, 3, 4, 5].map(async (key) => {
              const name = keys.cacheEntry(tenant.id, 1, entry(`k${key}`));
              const value = (await app.redis.send(['GET', name], { kind: 'read' })) as string | null;
              return value === null ? 0 : Buffer.byteLength(name) + Buffer.byteLength(value) + 200;
            }),
          );
          const { memory, entries } = await gateState(app, tenant.id).meter();
          expect(Number(memory)).toBe(stored.reduce((sum, bytes) => sum + bytes, 0));
          expect(Number(entries)).toBe(stored.filter((bytes) => bytes > 0).length);
        }),
        { numRuns: 25 },
      );
    });
  });
});

async function ownCluster() {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-cache-cluster-'));
  const cluster = await startCluster({ dir });
  const stop = async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { cluster, stop };
}

async function found(reading: ReturnType<App['cache']['get']>) {
  const entryFound = await reading;
  if (entryFound === null || 'unchanged' in entryFound) throw new Error('The entry was not given');
  return entryFound;
}
