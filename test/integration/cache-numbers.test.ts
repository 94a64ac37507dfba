/** Numbers that many add to at once, and lifetimes that change, on both transports. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { OutcomeUnknownError } from '../../lib/errors.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { passMs } from '../support/redis-time.ts';
import { keysOf } from '../support/tenant-state.ts';

const name = { namespace: 'n', key: 'count' };
const meta = { content_type: 'text/plain', tags: ['a'], version: 'v' };
const set = (text: string, ttlMs: number | null = 60_000) => ({ value: Buffer.from(text), meta, ttlMs });

const C1 =
  'c1,1819ce4e,35,0,1795227660002,1,0000000435,39,vcyCThFzKJesmn1JovZCHU,ba178fc9f6cb6b11d94575abc,text\n' +
  '{"content_type":"application/json"}{"žluť":"🙂","n":9007199254740993}\n';

describe.each(TRANSPORTS)('over %s', (transport) => {
  let app: App;
  let hook: FailpointHook = () => {};
  beforeAll(async () => {
    app = await testApp({ transport, failpoint: (call) => hook(call) });
  });

  describe('a number [C4]', () => {
    it('loses nothing of 1,000 that add at once', async () => {
      const { tenant, caller } = await newTenant(app, { quotas: { operations_per_minute: 10_000_000 } });
      const all = await Promise.all(Array.from({ length: 1_000 }, () => app.cache.increment(caller, name, 1)));
      expect(all.map(({ value }) => value).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 1_000 }, (_, i) => i + 1),
      );
      expect(all.filter(({ created }) => created)).toHaveLength(1);
      expect((await app.cache.get(caller, name)) as unknown).toMatchObject({ value: Buffer.from('1000') });
      expect(await auditTenant(app, tenant.id)).toBe(1);
    });

    it('loses nothing of an encrypting tenant either, and nobody can read it', async () => {
      const { tenant, caller } = await newTenant(app, { encryption: true });
      const first = await app.cache.increment(caller, name, 40, { ttlMs: 60_000 });
      expect(first).toMatchObject({ value: 40, created: true });
      const all = await Promise.all(Array.from({ length: 8 }, () => app.cache.increment(caller, name, 1)));
      expect(all.map(({ value }) => value).sort((a, b) => a - b)).toEqual([41, 42, 43, 44, 45, 46, 47, 48]);
      for (const { expiresAtMs, created } of all) {
        expect(expiresAtMs).toBe(first.expiresAtMs);
        expect(created).toBe(false);
      }
      const stored = await app.redis.send(['GET', keysOf(app).cacheEntry(tenant.id, 1, name)], { kind: 'read' });
      expect(stored).toMatch(/,graw\n/);
      expect(await auditTenant(app, tenant.id)).toBe(1);
      await app.cache.set(caller, { ...name, key: 'text' }, set('12x'));
      await expect(app.cache.increment(caller, { ...name, key: 'text' }, 1)).rejects.toMatchObject({
        code: 'not_a_number',
      });
      await app.cache.set(caller, { ...name, key: 'max' }, set('9007199254740991'));
      await expect(app.cache.increment(caller, { ...name, key: 'max' }, 1)).rejects.toMatchObject({
        code: 'number_out_of_range',
      });
    });

    it.each([
      ['0', 1, 1],
      ['-5', 5, 0],
      ['9007199254740990', 1, 9007199254740991],
      ['-9007199254740990', -1, -9007199254740991],
      ['007', 1, 8],
      ['-0', 0, 0],
    ])('counts on from %s by %d, with its metadata and lifetime', async (text, by, value) => {
      const { tenant, caller } = await newTenant(app);
      const before = await app.cache.set(caller, name, set(text));
      expect(await app.cache.increment(caller, name, by)).toMatchObject({
        value,
        created: false,
        expiresAtMs: before.expiresAtMs,
      });
      expect(await app.cache.get(caller, name)).toMatchObject({ value: Buffer.from(String(value)), meta });
      expect(await auditTenant(app, tenant.id)).toBe(1);
    });

    it.each(['', ' 1', '1 ', '1.0', '1e3', '0x1', '+1', 'NaN', '1'.repeat(18), '1\n', 'null'])(
      'takes %j for none',
      async (text) => {
        const { caller } = await newTenant(app);
        const { etag } = await app.cache.set(caller, name, set(text));
        await expect(app.cache.increment(caller, name, 1)).rejects.toMatchObject({ code: 'not_a_number', status: 409 });
        expect(await app.cache.head(caller, name)).toMatchObject({ etag });
      },
    );

    it.each([
      ['9007199254740991', 1],
      ['-9007199254740991', -1],
      ['1', Number.MAX_SAFE_INTEGER],
      ['1', 2 ** 53],
      ['1', 0.5],
    ])('stays in range: %s and %d', async (text, by) => {
      const { caller } = await newTenant(app);
      const { etag } = await app.cache.set(caller, name, set(text));
      await expect(app.cache.increment(caller, name, by)).rejects.toMatchObject({ code: 'number_out_of_range' });
      expect(await app.cache.head(caller, name)).toMatchObject({ etag });
    });

    it('is added to once when the reply is lost, though others add meanwhile', async () => {
      const { caller } = await newTenant(app);
      const other = await testApp({ transport });
      await app.cache.increment(caller, name, 1);
      let lost = false;
      hook = async ({ name: script, phase }) => {
        if (script !== 'increment-cache-entry' || phase !== 'after' || lost) return;
        lost = true;
        for (let i = 0; i < 20; i++) await other.cache.increment(caller, name, 100);
        throw new OutcomeUnknownError('lost');
      };
      const { value } = await app.cache.increment(caller, name, 1);
      hook = () => {};
      expect(value).toBe(2);
      expect(await app.cache.increment(caller, name, 0)).toMatchObject({ value: 2_002 });
    });

    it('finds no room at the quota', async () => {
      const { tenant, caller } = await newTenant(app, {
        quotas: { memory_bytes: 900, operations_per_minute: 1_000 },
        cache: { eviction_policy: 'none' },
      });
      await app.cache.increment(caller, name, 1);
      await expect(app.cache.increment(caller, { ...name, key: 'x'.repeat(400) }, 1)).rejects.toMatchObject({
        code: 'memory_full',
      });
      expect(await auditTenant(app, tenant.id)).toBe(1);
    });
  });

  describe('a lifetime [C2]', () => {
    it('ends at its ms, and begins again when it is touched', async () => {
      const { tenant, caller } = await newTenant(app);
      const { etag } = await app.cache.set(caller, name, set('v', 60_000));
      expect(await app.cache.touch(caller, name, { ttlMs: null })).toEqual({
        etag,
        expiresAtMs: null,
        freshUntilMs: null,
      });
      const touched = await app.cache.touch(caller, name, { ttlMs: 60_000, graceMs: 5_000 });
      expect(await app.cache.get(caller, name)).toMatchObject({ etag, value: Buffer.from('v'), meta, ...touched });
      expect(await auditTenant(app, tenant.id)).toBe(1);
      await app.cache.touch(caller, name, { ttlMs: 1 });
      await passMs(app);
      expect(await app.cache.touch(caller, name, { ttlMs: 60_000 })).toBeNull();
      expect(await app.cache.get(caller, name)).toBeNull();
      expect(await auditTenant(app, tenant.id)).toBe(0);
    });

    it('is one of an entry in its grace no more', async () => {
      const { caller } = await newTenant(app);
      await app.cache.set(caller, name, { ...set('v', 1), graceMs: 60_000 });
      await passMs(app);
      expect(await app.cache.touch(caller, name, { ttlMs: 60_000 })).toBeNull();
      expect(await app.cache.get(caller, name, { stale: true })).toMatchObject({ stale: true });
    });

    it('is changed of an entry that a version before this one stored', async () => {
      const { tenant, caller } = await newTenant(app);
      const key = keysOf(app).cacheEntry(tenant.id, 1, name);
      await app.redis.send(['SET', key, C1], { kind: 'write' });
      const touched = await app.cache.touch(caller, name, { ttlMs: 60_000 });
      expect(touched?.expiresAtMs).toBeGreaterThan(Date.now());
      const value = Buffer.from('{"žluť":"🙂","n":9007199254740993}\n');
      expect(await app.cache.get(caller, name)).toMatchObject({ value, expiresAtMs: touched?.expiresAtMs });
      expect(await app.redis.send(['GETRANGE', key, 0, 2], { kind: 'read' })).toBe('c2,');
    });

    it('is not changed where the condition does not hold, nor to none', async () => {
      const { caller } = await newTenant(app);
      const { expiresAtMs } = await app.cache.set(caller, name, set('v'));
      const other = { ttlMs: 1, condition: { etags: ['x'.repeat(22)] } };
      await expect(app.cache.touch(caller, name, other)).rejects.toMatchObject({ code: 'precondition_failed' });
      await expect(app.cache.touch(caller, name, { ttlMs: 0 })).rejects.toMatchObject({ code: 'invalid_request' });
      expect(await app.cache.head(caller, name)).toMatchObject({ expiresAtMs });
    });
  });
});
