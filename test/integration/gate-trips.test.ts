/** What a request costs: round trips, and calls inside the script, counted by Redis itself. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import type { App } from '../../lib/app.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, type TestTenant, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { keysOf } from '../support/tenant-state.ts';

const entry = { namespace: 'ns', key: 'k' };
const limit = { name: 'logins', identifier: 'user', limit: 100, windowMs: 60_000 };
const set = (text: string) => ({ value: Buffer.from(text), meta: { content_type: 'text/plain' }, ttlMs: 60_000 });

let dir: string;
let redis: RunningRedis;
let trips = 0;
const count: FailpointHook = ({ phase }) => {
  if (phase === 'before') trips++;
};
const ownApp = () => testApp({ env: { REDIS_URL: redis.url }, failpoint: count });

let app: App;
let tenant: TestTenant;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-trips-'));
  redis = await startRedis({ dir, appendonly: false });
});
afterAll(async () => {
  await redis.stop();
  await rm(dir, { recursive: true });
});
/** Every script is known to Redis from here on: only what is counted is counted. */
beforeEach(async () => {
  app = await ownApp();
  tenant = await newTenant(app);
  await app.cache.set(tenant.caller, entry, set('v'));
  await app.cache.delete(tenant.caller, entry);
  await app.cache.get(tenant.caller, entry);
  await app.account.identify(tenant.caller);
  await app.rateLimiter.check(tenant.caller, limit);
});

/** Round trips of some work. */
async function tripsOf(work: () => Promise<unknown>): Promise<number> {
  const before = trips;
  await work();
  return trips - before;
}

/** Calls inside the scripts of some work, by Redis' own count. */
async function innerCallsOf(work: () => Promise<unknown>): Promise<number> {
  await app.redis.send(['CONFIG', 'RESETSTAT'], { kind: 'write' });
  await work();
  const stats = (await app.redis.send(['INFO', 'commandstats'], { kind: 'read' })) as string;
  const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  return calls.reduce((sum, [, name, n]) => (/^(evalsha|config|info)/.test(`${name}`) ? sum : sum + Number(n)), 0);
}

describe('round trips of a request', () => {
  it('are two for the first call of an instance, and one from then on', async () => {
    const { caller } = tenant;
    const fresh = await ownApp();
    expect(await tripsOf(() => fresh.cache.get(caller, entry))).toBe(2);
    for (const work of [
      () => fresh.cache.get(caller, entry),
      () => fresh.cache.set(caller, entry, set('w')),
      () => fresh.cache.head(caller, entry),
      () => fresh.cache.delete(caller, entry),
      () => fresh.account.identify(caller),
      () => fresh.rateLimiter.check(caller, limit),
      () => fresh.rateLimiter.check(caller, { ...limit, identifier: 'another' }),
    ])
      expect(await tripsOf(work)).toBe(1);
  });

  it('are two once when the context changed, and every instance sees the new generation', async () => {
    const { caller, tenant: record } = tenant;
    const other = await ownApp();
    await app.cache.set(caller, entry, set('old'));
    expect(await other.cache.get(caller, entry)).not.toBeNull();
    const gate = gateState(app, record.id);
    await gate.write('x', '{"generation":2}');
    await gate.setLimits({ contextVersion: 2, generation: 2 });

    expect(await tripsOf(() => other.cache.get(caller, entry))).toBe(2);
    expect(await other.cache.get(caller, entry)).toBeNull();
    expect(await tripsOf(() => app.cache.set(caller, entry, set('new')))).toBe(2);
    expect(await tripsOf(() => app.cache.get(caller, entry))).toBe(1);
    expect(await other.cache.get(caller, entry)).toMatchObject({ value: Buffer.from('new') });
    const oldKey = keysOf(app).cacheEntry(record.id, 1, entry);
    expect(await app.redis.send(['GET', oldKey], { kind: 'read' })).toMatch(/old$/);
  });

  it('changes and meters nothing with an old context', async () => {
    const { caller, tenant: record } = tenant;
    const gate = gateState(app, record.id);
    const before = await gate.meter();
    await gate.setLimits({ contextVersion: 3 });
    await app.cache.get(caller, entry);
    expect(await gate.meter()).toMatchObject({ ops: before.ops + 1n, misses: before.misses + 1n });
  });
});

describe('calls inside the script', () => {
  const etagOf = async () => (await app.cache.set(tenant.caller, entry, set('v'))).etag;

  it.each<[string, number, (tenant: TestTenant) => Promise<unknown>]>([
    ['a miss', 4, ({ caller }) => app.cache.get(caller, { ...entry, key: 'none' })],
    ['a read hit', 4, ({ caller }) => app.cache.get(caller, entry)],
    ['a head', 4, ({ caller }) => app.cache.head(caller, entry)],
    ['a new entry', 6, ({ caller }) => app.cache.set(caller, { ...entry, key: 'new' }, set('v'))],
    ['an entry that replaces another', 7, ({ caller }) => app.cache.set(caller, entry, set('w'))],
    ['a removal', 7, ({ caller }) => app.cache.delete(caller, entry)],
    ['a look at what a removal would remove', 4, ({ caller }) => app.cache.previewDelete(caller, entry)],
    ['a check of a limit', 5, ({ caller }) => app.rateLimiter.check(caller, limit)],
    ['one that is used up', 5, ({ caller }) => app.rateLimiter.check(caller, { ...limit, limit: 1 })],
    ['a look at a limit', 4, ({ caller }) => app.rateLimiter.check(caller, { ...limit, cost: 0 })],
    ['a new identifier', 6, ({ caller }) => app.rateLimiter.check(caller, { ...limit, identifier: 'new' })],
    ['a removal of nothing', 6, ({ caller }) => app.cache.delete(caller, { ...entry, key: 'none' })],
  ])('%s: at most %i', async (_what, most, work) => {
    await etagOf();
    const calls = await innerCallsOf(() => work(tenant));
    expect(calls).toBeGreaterThan(2);
    expect(calls).toBeLessThanOrEqual(most);
  });

  it('an unchanged entry: at most 4; a changed one 5', async () => {
    const etag = await etagOf();
    const get = (ifNoneMatch: string[]) => innerCallsOf(() => app.cache.get(tenant.caller, entry, { ifNoneMatch }));
    expect(await get([etag])).toBeLessThanOrEqual(4);
    expect(await get(['x'.repeat(22)])).toBeLessThanOrEqual(5);
  });

  it('a batch: few more than one for each entry written, and one for 16 read [C4]', async () => {
    const { caller } = tenant;
    const entries = Array.from({ length: 100 }, (_, i) => ({ ...set('v'), key: `b${i}` }));
    const keys = entries.map(({ key }) => key);
    const number = { ...entry, key: 'n' };
    const works = [
      [6 + 100, () => app.cache.setMany(caller, 'ns', entries)],
      [3 + 7, () => app.cache.getMany(caller, 'ns', keys)],
      [3 + 100, () => app.cache.getMany(caller, 'ns', keys, { metaOnly: true })],
      [4 + 3 + 100, () => app.cache.list(caller, 'ns', { prefix: 'b' })],
      [6 + 100, () => app.cache.deleteMany(caller, 'ns', keys)],
      [7, () => app.cache.increment(caller, number, 1)],
      [8, () => app.cache.touch(caller, number, { ttlMs: 1_000 })],
    ] as const;
    // From here on Redis knows these scripts, too.
    for (const [, work] of works) await work();
    for (const [most, work] of works) {
      const calls = await innerCallsOf(work);
      expect(calls).toBeGreaterThan(2);
      expect(calls).toBeLessThanOrEqual(most);
    }
  });

  it('a refusal: 1 or 2', async () => {
    const unknown = { ...tenant.caller, keyHash: '0'.repeat(64) };
    expect(await innerCallsOf(() => app.cache.get(unknown, entry).catch(() => {}))).toBe(1);
    await gateState(app, tenant.tenant.id).setRate(0, 0);
    expect(await innerCallsOf(() => app.cache.get(tenant.caller, entry).catch(() => {}))).toBe(2);
  });
});

describe('with encryption and policies on [T3 T8]', () => {
  const statements = [
    { effect: 'allow', actions: ['cache:*'], resources: ['cache/*'] },
    { effect: 'deny', actions: ['cache:write'], resources: ['cache/locked/*'] },
  ] as const;

  it('a request takes one trip and as many inner calls as without', async () => {
    const { tenant: record, caller } = await newTenant(app, { encryption: true });
    await app.tenantPolicies.set(record.id, { default: 'deny', statements: statements as never }, {});
    await app.cache.set(caller, entry, set('v'));
    for (const [most, work] of [
      [4, () => app.cache.get(caller, entry)],
      [4, () => app.cache.head(caller, entry)],
      [7, () => app.cache.set(caller, entry, set('w'))],
      [7, () => app.cache.delete(caller, entry)],
    ] as const) {
      let calls = 0;
      const own = await tripsOf(async () => {
        calls = await innerCallsOf(work);
      });
      // Two more trips ask Redis for its statistics.
      expect(own - 2).toBe(1);
      expect(calls).toBeLessThanOrEqual(most);
    }
  });
});
