/** Invalidation where there is much: of entries, of what waits to be reclaimed, and on a Cluster. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import type { App } from '../../lib/app.ts';
import { createReclaim } from '../../lib/cache/invalidation/reclaim.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { useClusterApp } from '../support/cluster-app.ts';
import { gateState } from '../support/gate-state.ts';
import { endLease } from '../support/job-service.ts';
import { keysOf } from '../support/tenant-state.ts';

const value = Buffer.from('a value');
const meta = { content_type: 'text/plain', tags: ['red'] };

/** Entries `p0` on. */
async function fill(app: App, caller: Caller, count: number): Promise<void> {
  for (let at = 0; at < count; at += 200) {
    const keys = Array.from({ length: Math.min(200, count - at) }, (_, i) => `p${at + i}`);
    await Promise.all(keys.map((key) => app.cache.set(caller, { namespace: 'ns', key }, { value, meta, ttlMs: null })));
  }
}

describe('much to invalidate [C8 K4]', () => {
  let app: App;
  beforeAll(async () => {
    app = await testApp();
  });

  const ask = (caller: Caller, selector: Selector, dry = false) =>
    app.invalidation.invalidate(caller, { selector, dry });
  const reclaimOf = (settleAfterMs: number) => createReclaim({ redis: app.redis, keys: keysOf(app), settleAfterMs });

  it('goes on as a job when more than 5,000 entries begin so, and ends exact', async () => {
    const { caller } = await newTenant(app);
    await fill(app, caller, 5_001);
    const selector = { by: 'prefix', namespace: 'ns', prefix: 'p' } as const;
    // To count them takes no walk.
    const counted = { would_invalidate: 5_001, exact: true };
    expect(await ask(caller, selector, true)).toEqual({ kind: 'done', data: counted });
    const outcome = await ask(caller, selector);
    if (outcome.kind !== 'job') throw new Error('It was done at once');
    const { id } = outcome.job;
    // What is written from now on stays, whether or not the job is done.
    await app.cache.set(caller, { namespace: 'ns', key: 'p7' }, { value, meta, ttlMs: null });
    await expect
      .poll(
        async () => {
          if ((await app.jobs.get(id)).status !== 'done') await endLease(app, id);
          await app.jobs.run();
          return (await app.jobs.get(id)).result;
        },
        { timeout: 20_000 },
      )
      .toMatchObject({ invalidated: expect.any(Number) });
    expect(await auditTenant(app, caller.tenantId)).toBe(1);
    expect(await app.cache.get(caller, { namespace: 'ns', key: 'p7' })).not.toBeNull();
  }, 60_000);

  it('reclaims in batches, goes on where it was stopped, and gives some at once to who needs room', async () => {
    const { caller } = await newTenant(app);
    await fill(app, caller, 1_200);
    await ask(caller, { by: 'tags', tags: ['red'] });
    const place = { id: caller.tenantId, generation: 1 };
    expect((await reclaimOf(0).some(place)).removed).toBe(500);
    const stopped = await reclaimOf(0)
      .run({ ...place, signal: AbortSignal.abort() })
      .catch(() => null);
    expect(stopped?.upTo ?? null).toBeNull();
    const { removed, bytes, upTo } = await reclaimOf(0).run(place);
    expect({ removed, whole: upTo !== null, some: bytes > 0 }).toEqual({ removed: 700, whole: true, some: true });
    expect((await reclaimOf(0).some(place)).removed).toBe(0);
    expect(await auditTenant(app, caller.tenantId)).toBe(0);
    expect((await gateState(app, caller.tenantId).meter()).memory).toBe(0n);
  });

  it('is reclaimed by the cleaning', async () => {
    const own = await testApp({ env: { PERSISTENCE_CACHE_KEY_PREFIX: `iv-${Date.now()}` } });
    const { caller } = await newTenant(own);
    await fill(own, caller, 600);
    await own.invalidation.invalidate(caller, { selector: { by: 'namespace', namespace: 'ns' }, dry: false });
    expect(await own.cleanUp.run()).toMatchObject({ reclaimed: 600, finished: true });
    expect(await auditTenant(own, caller.tenantId)).toBe(0);
  });

  it('refuses more than 10,000 names that wait, and changes nothing; once they are settled it goes on', async () => {
    const { caller } = await newTenant(app);
    for (let at = 0; at < 10_000; at += 400) {
      const calls = Array.from({ length: Math.min(400, 10_000 - at) / 25 }, (_, i) =>
        ask(caller, { by: 'tags', tags: Array.from({ length: 25 }, (_tag, j) => `t${at + 25 * i + j}`) }),
      );
      await Promise.all(calls);
    }
    await fill(app, caller, 1);
    const error = await ask(caller, { by: 'tags', tags: ['red'] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'reclaim_behind', status: 503, retryAfterMs: 60_000 });
    expect(await app.cache.get(caller, { namespace: 'ns', key: 'p0' })).not.toBeNull();
    // A name that waits already may be invalidated again, and so may all.
    expect(await ask(caller, { by: 'tags', tags: ['t1'] })).toMatchObject({ kind: 'done' });
    await reclaimOf(0).run({ id: caller.tenantId, generation: 1 });
    expect(await ask(caller, { by: 'tags', tags: ['red'] })).toMatchObject({ data: { invalidated: 1, exact: true } });
  }, 60_000);
});

describe('the cost of an invalidation [C8]', () => {
  let dir: string;
  let redis: RunningRedis;
  let app: App;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'riptide-invalidate-cost-'));
    redis = await startRedis({ dir, appendonly: false });
    app = await testApp({ env: { REDIS_URL: redis.url } });
  });
  afterAll(async () => {
    await app.close();
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** Of one invalidation of as many entries; Redis' own count. */
  const innerCallsOf = async (entries: number, selector: Selector) => {
    const { caller } = await newTenant(app);
    await fill(app, caller, entries);
    await app.redis.send(['CONFIG', 'RESETSTAT'], { kind: 'write' });
    await app.invalidation.invalidate(caller, { selector, dry: false });
    const stats = (await app.redis.send(['INFO', 'commandstats'], { kind: 'read' })) as string;
    const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
    return calls.reduce((sum, [, name, n]) => (/^(eval|config|info)/.test(`${name}`) ? sum : sum + Number(n)), 0);
  };

  it.each<{ readonly selector: Selector; readonly calls: number }>([
    { selector: { by: 'tags', tags: ['red'] }, calls: 11 },
    { selector: { by: 'namespace', namespace: 'ns' }, calls: 8 },
    { selector: { by: 'all' }, calls: 6 },
  ])('is the same of one entry and of a thousand: $selector.by', async ({ selector, calls }) => {
    await innerCallsOf(1, selector);
    expect([await innerCallsOf(1, selector), await innerCallsOf(1_000, selector)]).toEqual([calls, calls]);
  });
});

describe('invalidation on a Cluster [C8]', () => {
  const clusterApp = useClusterApp();
  let app: App;
  beforeAll(() => {
    app = clusterApp();
  });

  it.each<Selector>([
    { by: 'keys', namespace: 'ns', keys: ['p0', 'p1', 'p2'] },
    { by: 'prefix', namespace: 'ns', prefix: 'p' },
    { by: 'glob', namespace: 'ns', glob: '*[0-9]' },
    { by: 'tags', tags: ['red'] },
    { by: 'namespace', namespace: 'ns' },
    { by: 'all' },
  ])('has all its keys in the slot of the tenant: $by', async (selector) => {
    const { caller } = await newTenant(app);
    await fill(app, caller, 3);
    const outcome = await app.invalidation.invalidate(caller, { selector, dry: false });
    expect(outcome.kind === 'done' ? outcome.data : outcome.job.result).toMatchObject({ invalidated: 3, exact: true });
    await createReclaim({ redis: app.redis, keys: keysOf(app), settleAfterMs: 0 }).run({
      id: caller.tenantId,
      generation: 1,
    });
    expect(await gateState(app, caller.tenantId).read('v')).toBeNull();
    expect(await auditTenant(app, caller.tenantId)).toBe(0);
  });
});
