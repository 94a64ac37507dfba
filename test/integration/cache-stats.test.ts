/** Statistics of a tenant, live and by the minute, and of all together. */
import { describe, expect, it } from 'vitest';
import { CacheStatsResponse } from '../../lib/cache/stats/stats-contract.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { redisTimeUs } from '../support/redis-time.ts';
import { keysOf } from '../support/tenant-state.ts';

const META = { content_type: 'text/plain' };
const name = (key: string) => ({ namespace: 'ns', key });

/** Field `m` as m5: what was done by the end of a minute. */
const counters = (minute: number, done: { ops: number; hits: number; misses: number; accessUs: number }) =>
  [
    'm5',
    0,
    0,
    minute,
    1,
    4_102_444_800_000,
    0,
    done.ops,
    done.hits,
    done.misses,
    0,
    0,
    done.accessUs,
    0,
    1_000,
    10,
    10,
    0,
  ]
    .concat([minute * 60_000, 0, 0, 0, 0, 4_000, 1_000, 0, 0, 0, 0, 0, 0, 0])
    .join(',');

describe.each(TRANSPORTS)('statistics of a tenant over %s [C12 A10]', (transport) => {
  it('count what was read and stored, at once', async () => {
    const app = await testApp({ transport });
    const { tenant, caller } = await newTenant(app);
    const text = 'compressible '.repeat(1_000);
    await app.cache.set(caller, name('a'), { value: Buffer.from(text), meta: META });
    await app.cache.set(caller, name('b'), { value: Buffer.from('b'), meta: META });
    for (const key of ['a', 'a', 'b', 'none']) await app.cache.get(caller, name(key));
    const stats = CacheStatsResponse.strict().parse(await app.cacheStats.ofTenant(caller.tenantId));
    expect(stats).toMatchObject({
      tenant_id: tenant.id,
      total_keys: 2,
      hits: 3,
      misses: 1,
      hit_rate: 0.75,
      miss_rate: 0.25,
      raw_bytes: text.length + 1,
      pending_invalidations: 0,
      series: null,
    });
    expect(stats.avg_compression_ratio).toBeGreaterThan(10);
    expect(stats.saved_bytes).toBe(stats.raw_bytes - stats.packed_bytes);
    expect(stats.avg_access_time_us).toBeGreaterThan(0);
    expect(stats.ops_per_second).toBeGreaterThan(0);
  });

  it('of one that did nothing say so, and of no tenant: 404', async () => {
    const app = await testApp({ transport });
    const { caller } = await newTenant(app);
    expect(await app.cacheStats.ofTenant(caller.tenantId)).toMatchObject({
      total_keys: 0,
      hit_rate: null,
      miss_rate: null,
      avg_access_time_us: null,
      avg_compression_ratio: null,
      ops_per_second: 0,
    });
    await expect(app.cacheStats.ofTenant(newTenantId(newUlid(1)))).rejects.toMatchObject({ code: 'tenant_not_found' });
  });
});

describe('statistics over time [C12 A10]', () => {
  it('are given by the minute, and rates are of the last full minute and the current one', async () => {
    const app = await testApp();
    const { caller } = await newTenant(app);
    const minute = Math.floor(Number(await redisTimeUs(app)) / 60_000_000);
    const gate = keysOf(app).gate(caller.tenantId);
    const point = (ago: number, hits: number) =>
      counters(minute - ago, { ops: hits * 2, hits, misses: hits, accessUs: hits * 1_000 });
    const fields = [3, 2, 1].flatMap((ago) => [`u:m${(minute - ago) % 180}`, point(ago, (4 - ago) * 10)]);
    await app.redis.send(['HSET', gate, 'm', point(0, 70), ...fields], { kind: 'write' });
    const stats = await app.cacheStats.ofTenant(caller.tenantId, { fromMs: (minute - 3) * 60_000, step: 'minute' });
    expect(stats.series?.items.slice(0, 4).map(({ hits }) => hits)).toEqual([10, 10, 10, 40]);
    expect(stats.series?.items[0]).toMatchObject({ hit_rate: 0.5, avg_access_time_us: 500, ops_per_second: 0.333333 });
    expect(stats).toMatchObject({ hits: 50, misses: 50, avg_compression_ratio: 4, saved_bytes: 3_000 });
    await expect(app.cacheStats.ofTenant(caller.tenantId, { fromMs: 1, step: 'minute' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('statistics of all tenants [C12 A10]', () => {
  it('are a sum, made by a schedule: of tenants that paused too', async () => {
    const app = await testApp({ env: { PERSISTENCE_CACHE_KEY_PREFIX: `st-${newUlid(Date.now())}` } });
    expect(await app.cacheStats.ofAll()).toMatchObject({ tenant_id: null, as_of: null, total_keys: 0, window: null });
    const minute = Math.floor(Date.now() / 60_000);
    const set = async (fields: (minute: number) => readonly string[]) => {
      const { caller } = await newTenant(app);
      const values = fields(minute);
      await app.redis.send(['HSET', keysOf(app).gate(caller.tenantId), ...values], { kind: 'write' });
    };
    const done = (hits: number) => ({ ops: hits, hits, misses: 0, accessUs: hits * 100 });
    const point = (at: number, hits: number) => [`u:m${at % 180}`, counters(at, done(hits))];
    // Busy all the time; busy again after an hour; of old only; in this minute only.
    await set((now) => [
      'm',
      counters(now, done(90)),
      ...point(now - 6, 10),
      ...point(now - 3, 40),
      ...point(now - 1, 60),
    ]);
    await set((now) => ['m', counters(now, done(900)), ...point(now - 60, 500), ...point(now - 2, 600)]);
    await set((now) => ['m', counters(now - 300, done(7_000))]);
    await set((now) => ['m', counters(now, done(5))]);
    await newTenant(app);
    expect(await app.cacheStatsSum.run()).toEqual({ counted: 5, uncounted: 0 });
    const stats = CacheStatsResponse.strict().parse(await app.cacheStats.ofAll());
    expect(stats).toMatchObject({ tenants: 5, total_keys: 40, memory_usage_bytes: 4_000, avg_compression_ratio: 4 });
    // A minute may have ended between.
    const late = Math.floor(Date.parse(stats.as_of ?? '') / 60_000) > minute;
    if (!late) expect(stats).toMatchObject({ hits: 150, hit_rate: 1, ops_per_second: 0.5, avg_access_time_us: 100 });
  });
});
