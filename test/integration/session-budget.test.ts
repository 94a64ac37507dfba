/** The memory of all tenants' hot sessions: never above what there is, whoever is late or ends halfway. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { type FailpointHook, withFailpoints } from '../../lib/redis/failpoints.ts';
import { createSessionBudget } from '../../lib/sessions/spillover/budget/session-budget.ts';
import { TRANSPORTS, testApp } from '../support/app.ts';
import { ownRedis } from '../support/redis-own.ts';
import { sessionMemory } from '../support/session-memory.ts';
import { keysOf } from '../support/tenant-state.ts';
import { createTraffic, type Traffic } from '../support/traffic.ts';

const MAX = 1024 * 1024;
/** The most a tenant is granted beyond its need. */
const CHUNK = 65_536;
/** Of the memory, kept for those who have less than a 16th of it: a twentieth. */
const KEPT = 52_428;
const config = { maxMemoryBytes: MAX, thresholdRatio: 0.8 };
const NOTHING = { hotBytes: 0, shareBytes: 0, epoch: 0, maxBytes: null };

/** A pool of the test's own. */
const ownApp = (transport: (typeof TRANSPORTS)[number]) =>
  testApp({ transport, env: { PERSISTENCE_CACHE_KEY_PREFIX: `pool${randomBytes(5).toString('hex')}` } });

const budgetOf = (app: App, redis = app.redis, maxMemoryBytes = MAX) =>
  createSessionBudget({ redis, keys: keysOf(app), config: { ...config, maxMemoryBytes } });

/** As a request does it: written, or asked for room first, or the tenant's own sessions moved. */
async function write(
  app: App,
  { id, bytes, keep, redis, max }: { id: TenantId; bytes: number; keep: number; redis: App['redis']; max?: number },
) {
  const memory = sessionMemory(app);
  for (let round = 0; round < 4; round++) {
    const { written, ...state } = await memory.addHot(id, bytes, redis);
    if (written) return true;
    const { raised } = await budgetOf(app, redis, max).grow(id, { ...state, neededBytes: bytes, maxBytes: null });
    if (!raised) await memory.spillTo(id, Math.floor(state.hotBytes * keep), redis);
  }
  return false;
}

interface Step {
  readonly tenant: number;
  readonly work: 'write' | 'lower' | 'reconcile';
  readonly bytes: number;
  /** Of what it has, the part that stays when it has to give up some; 1: nothing can be moved. */
  readonly keep: number;
  /** The call, counted from 0, before or after which it ends for ever. */
  readonly killedAt: number | null;
  readonly phase: 'before' | 'after';
  /** The call that is held back, until so many others were made. */
  readonly lateAt: number | null;
  readonly lateFor: number;
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    tenant: fc.nat(5),
    work: fc.constantFrom('write', 'write', 'write', 'lower', 'lower', 'reconcile'),
    bytes: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 400_000 }) }, fc.constant(1)),
    keep: fc.constantFrom(0, 0.5, 0.9, 1),
    killedAt: fc.option(fc.nat(4), { freq: 2 }),
    phase: fc.constantFrom('before', 'after'),
    lateAt: fc.option(fc.nat(4), { freq: 2 }),
    lateFor: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 20, maxLength: 80 },
);

class KilledError extends Error {}

/** Ends a step where it is to end, holds back what is to be late, and looks at everything at each call. */
function hookOf(step: Step, traffic: Traffic, look: () => Promise<void>): FailpointHook {
  let calls = -1;
  return async ({ phase }) => {
    if (phase === 'before') calls++;
    if (phase === 'before' && calls === step.lateAt) await traffic.holdBack(step.lateFor);
    await look();
    if (calls === step.killedAt && phase === step.phase) throw new KilledError();
    if (phase === 'after') traffic.passed();
  };
}

async function take(app: App, step: Step, { ids, hook }: { ids: readonly TenantId[]; hook: FailpointHook }) {
  const redis = withFailpoints(app.redis, hook);
  const id = ids[step.tenant] as TenantId;
  if (step.work === 'write') return write(app, { id, bytes: step.bytes, keep: step.keep, redis });
  if (step.work === 'reconcile') return budgetOf(app, redis).reconcile(ids);
  const memory = sessionMemory(app);
  const most = step.keep === 1 ? Number.MAX_SAFE_INTEGER : 0;
  const spillTo = (bytes: number) => memory.spillTo(id, Math.max(bytes, most), redis);
  return budgetOf(app, redis).lower(id, Math.floor(step.bytes / 2), { spillTo });
}

describe.each(TRANSPORTS)('the session memory over %s [P1 P2]', (transport) => {
  it('is never above what there is, with any steps of six tenants at once, late, cut short', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const app = await ownApp(transport);
        const memory = sessionMemory(app);
        const ids = await Promise.all(Array.from({ length: 6 }, () => memory.newTenant()));
        const look = async () => {
          const { tenants, totalBytes, sumBytes } = await memory.look(ids);
          for (const { hotBytes, shareBytes, grantedBytes } of tenants) {
            expect(hotBytes).toBeLessThanOrEqual(grantedBytes);
            expect(shareBytes).toBeLessThanOrEqual(grantedBytes);
          }
          expect(totalBytes).toBe(sumBytes);
          expect(sumBytes).toBeLessThanOrEqual(MAX);
        };
        const traffic = createTraffic();
        const lane = async (mine: readonly Step[]) => {
          for (const step of mine)
            await take(app, step, { ids, hook: hookOf(step, traffic, look) }).catch((error: unknown) => {
              if (!(error instanceof KilledError)) throw error;
            });
        };
        const lanes = Array.from({ length: 8 }, (_none, i) => all.filter((_step, n) => n % 8 === i));
        await Promise.all(lanes.map((mine) => traffic.during(() => lane(mine))));
        await look();

        const budget = budgetOf(app);
        for (const id of ids) await budget.lower(id, 0, { spillTo: (bytes) => memory.spillTo(id, bytes) });
        expect(await budget.totalGranted()).toBe(0);
        for (const id of ids) {
          expect(await write(app, { id, bytes: MAX, keep: 1, redis: app.redis })).toBe(true);
          expect(await budget.lower(id, 0, { spillTo: (bytes) => memory.spillTo(id, bytes) })).toBe(MAX);
        }
        await app.close();
      }),
      { numRuns: transport === 'tcp' ? 40 : 10, endOnFailure: true },
    );
  });

  it('is granted with half as much more in two round trips, and asked for no more until that is used', async () => {
    const app = await ownApp(transport);
    const calls: string[] = [];
    const counted = withFailpoints(app.redis, ({ name, phase }) => void (phase === 'before' && calls.push(name)));
    const memory = sessionMemory(app);
    const id = await memory.newTenant();
    const outcome = await budgetOf(app, counted).grow(id, { ...NOTHING, neededBytes: 1_000 });
    expect(outcome).toEqual({ raised: true, shareBytes: 1_500, totalGranted: 1_500, pressed: false });
    expect(calls).toEqual(['grant-session-memory', 'set-session-share']);
    expect(await memory.readShare(id)).toEqual({ shareBytes: 1_500, epoch: 1 });
    expect(await memory.addHot(id, 1_500)).toMatchObject({ written: true });
    expect(await memory.addHot(id, 1)).toMatchObject({ written: false, hotBytes: 1_500, epoch: 1 });
  });

  it('is granted ahead up to a chunk, and to an eighth of what is left', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const [one, other] = [await memory.newTenant(), await memory.newTenant()];
    const budget = budgetOf(app, app.redis, 8 * MAX);
    const large = { ...NOTHING, neededBytes: 4 * MAX };
    expect(await budget.grow(one, large)).toMatchObject({ shareBytes: 4 * MAX + CHUNK });
    expect(await budget.grow(other, { ...large, neededBytes: 3 * MAX, aheadBytes: MAX })).toMatchObject({
      shareBytes: 3 * MAX + (MAX - CHUNK) / 8,
    });
  });

  it('is granted ahead also where what is needed is granted already, not beyond what is asked for', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const id = await memory.newTenant();
    await budget.grow(id, { ...NOTHING, neededBytes: 10_000, aheadBytes: 0 });
    expect(await memory.addHot(id, 9_000)).toMatchObject({ written: true });
    const more = { hotBytes: 9_000, shareBytes: 10_000, epoch: 1, neededBytes: 0, aheadBytes: 4_000, maxBytes: null };
    expect(await budget.grow(id, more)).toMatchObject({ raised: true, shareBytes: 13_000 });
    expect(await budget.grow(id, more)).toMatchObject({ raised: true, shareBytes: 13_000, totalGranted: 13_000 });
  });

  it('goes to its last byte, and then nobody is granted more; it says when it is pressed', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const [one, other, late] = [await memory.newTenant(), await memory.newTenant(), await memory.newTenant()];
    const large = { ...NOTHING, neededBytes: MAX - KEPT };
    const ahead = Math.floor(KEPT / 8);
    expect(await budget.grow(one, large)).toMatchObject({
      ...{ raised: true, totalGranted: MAX - KEPT + ahead, pressed: true },
    });
    const left = KEPT - ahead;
    const rest = { raised: true, shareBytes: left, totalGranted: MAX, pressed: true };
    expect(await budget.grow(other, { ...NOTHING, neededBytes: left })).toEqual(rest);
    const none = { raised: false, shareBytes: left, totalGranted: MAX, pressed: true };
    const asked = { hotBytes: left, shareBytes: left, epoch: 1, neededBytes: 1, maxBytes: null };
    expect(await budget.grow(other, asked)).toMatchObject({ ...none, raised: true });
    await memory.addHot(other, left);
    expect(await budget.grow(other, asked)).toEqual(none);
    expect(await budget.grow(late, { ...NOTHING, neededBytes: 1 })).toEqual({ ...none, shareBytes: 0 });
  });

  it('has room for the first sessions of others when one tenant has taken all it may', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const greedy = await memory.newTenant();
    let written = 0;
    while (await write(app, { id: greedy, bytes: 10_000, keep: 1, redis: app.redis })) written += 10_000;
    expect(written).toBeGreaterThan(MAX - KEPT - 10_000);
    expect(await budgetOf(app).totalGranted()).toBe(MAX - KEPT);
    for (let i = 0; i < 10; i++)
      expect(await write(app, { id: await memory.newTenant(), bytes: 3_000, keep: 1, redis: app.redis })).toBe(true);
    // And the one with much does not get at it meanwhile.
    expect(await write(app, { id: greedy, bytes: 10_000, keep: 1, redis: app.redis })).toBe(false);
    expect((await memory.look([greedy])).tenants).toMatchObject([{ grantedBytes: MAX - KEPT }]);
  });

  it('is granted no further than a tenant may go by itself', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const id = await memory.newTenant();
    const asked = { ...NOTHING, neededBytes: 1_000, maxBytes: 1_200 };
    expect(await budgetOf(app).grow(id, asked)).toMatchObject({ raised: true, shareBytes: 1_200, pressed: false });
    await memory.addHot(id, 1_000);
    const more = { ...asked, hotBytes: 1_000, shareBytes: 1_200, epoch: 1 };
    expect(await budgetOf(app).grow(id, more)).toMatchObject({ raised: false, shareBytes: 1_200, pressed: true });
  });

  it('is free for others once a share is lowered, and not while sessions are still there', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const id = await memory.newTenant();
    await write(app, { id, bytes: 500_000, keep: 1, redis: app.redis });
    const granted = 500_000 + CHUNK;
    const stuck = () => memory.spillTo(id, MAX);
    expect(await budget.lower(id, 100_000, { spillTo: stuck })).toBe(0);
    expect(await budget.totalGranted()).toBe(granted);
    expect(await memory.readShare(id)).toMatchObject({ shareBytes: 100_000 });
    // Its next write takes the share back.
    expect(await write(app, { id, bytes: 1, keep: 1, redis: app.redis })).toBe(true);
    const { shareBytes } = await memory.readShare(id);
    expect(shareBytes).toBeGreaterThanOrEqual(granted);
    expect(await budget.totalGranted()).toBe(shareBytes);
    const spillTo = (bytes: number) => memory.spillTo(id, bytes);
    expect(await budget.lower(id, 100_000, { spillTo })).toBe(shareBytes - 100_000);
    expect(await budget.lower(id, 100_000, { spillTo })).toBe(0);
    expect(await memory.look([id])).toMatchObject({ totalBytes: 100_000, sumBytes: 100_000 });
  });

  it('is lowered under a tenant that goes on writing', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const id = await memory.newTenant();
    await write(app, { id, bytes: MAX, keep: 1, redis: app.redis });
    const spillTo = async (bytes: number) => {
      await memory.spillTo(id, bytes);
      // Between the batches; it has room for these.
      for (let i = 0; i < 5; i++) await write(app, { id, bytes: 2_000, keep: 0.9, redis: app.redis });
      return memory.spillTo(id, MAX);
    };
    expect(await budgetOf(app).lower(id, MAX / 2, { spillTo })).toBe(MAX / 2);
  });

  it('knows again what gates allow when the pool is lost, and grants nothing above what there is', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const ids = [await memory.newTenant(), await memory.newTenant(), await memory.newTenant()];
    const [one, other, late] = ids as [TenantId, TenantId, TenantId];
    const shareOf = async (id: TenantId) => (await memory.readShare(id)).shareBytes;
    await write(app, { id: one, bytes: 400_000, keep: 1, redis: app.redis });
    await write(app, { id: other, bytes: 400_000, keep: 1, redis: app.redis });
    const before = await shareOf(one);
    await memory.losePool();
    // Who asks for more counts with what it has.
    const hotBytes = 400_000;
    const oneMore = async (neededBytes: number) =>
      budget.grow(one, { hotBytes, ...(await memory.readShare(one)), neededBytes, maxBytes: null });
    expect(await oneMore(before - hotBytes + 1)).toMatchObject({ raised: true });
    expect(await shareOf(one)).toBeGreaterThan(before);
    expect(await budget.totalGranted()).toBe(await shareOf(one));
    expect(await budget.reconcile(ids)).toEqual({ adopted: 1, released: 0 });
    expect(await budget.reconcile(ids)).toEqual({ adopted: 0, released: 0 });
    const both = (await shareOf(one)) + (await shareOf(other));
    expect(await memory.look(ids)).toMatchObject({ totalBytes: both, sumBytes: both });

    await memory.losePool();
    await write(app, { id: late, bytes: MAX - CHUNK, keep: 1, redis: app.redis });
    expect(await budget.reconcile(ids)).toEqual({ adopted: 2, released: 0 });
    const all = both + (await shareOf(late));
    expect(all).toBeGreaterThan(MAX);
    expect(await budget.totalGranted()).toBe(all);
    const full = { raised: false, totalGranted: all, pressed: true };
    expect(await oneMore((await shareOf(one)) - hotBytes + 1)).toMatchObject(full);
    expect(await budget.grow(await memory.newTenant(), { ...NOTHING, neededBytes: 1 })).toMatchObject(full);
  });

  it('is left by a tenant that is no more', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const ids = await Promise.all([1, 2, 3, 4].map(() => memory.newTenant()));
    const [gone, lowered, released, stays] = ids as [TenantId, TenantId, TenantId, TenantId];
    for (const id of ids) await budget.grow(id, { ...NOTHING, neededBytes: 1_000 });
    for (const id of [gone, lowered]) await memory.removeGate(id);
    expect(await budget.lower(lowered, 0, { spillTo: async () => 0 })).toBe(1_500);
    expect(await budget.release(released)).toBe(1_500);
    expect(await budget.release(released)).toBe(0);
    expect(await budget.reconcile([gone, lowered, stays])).toEqual({ adopted: 0, released: 1 });
    expect((await budget.holders(null)).holders).toEqual([{ tenantId: stays, grantedBytes: 1_500, epoch: 1 }]);
    expect(await budget.totalGranted()).toBe(1_500);
    // A gate that is gone is not made anew.
    expect(await budget.grow(gone, { ...NOTHING, neededBytes: 1 })).toMatchObject({ raised: false, shareBytes: 0 });
    expect(await app.redis.send(['EXISTS', keysOf(app).gate(gone)], { kind: 'read' })).toBe(0);
  });

  it('counts a share again whose gate has lost that it was lowered, and lowers it as any other', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const id = await memory.newTenant();
    const expectInOrder = async () => {
      const { tenants, totalBytes, sumBytes } = await memory.look([id]);
      expect(tenants[0]?.shareBytes).toBeLessThanOrEqual(tenants[0]?.grantedBytes ?? 0);
      expect(totalBytes).toBe(sumBytes);
    };
    await write(app, { id, bytes: 100_000, keep: 1, redis: app.redis });
    const { shareBytes, epoch } = await memory.readShare(id);
    await memory.spillTo(id, 1_000);
    expect(await budget.lower(id, 2_000, { spillTo: async () => 1_000 })).toBe(shareBytes - 2_000);
    await app.redis.send(['HSET', keysOf(app).gate(id), 'b', `b1,${shareBytes},${epoch}`], { kind: 'write' });
    expect(await budget.reconcile([id])).toEqual({ adopted: 1, released: 0 });
    expect(await budget.reconcile([id])).toEqual({ adopted: 0, released: 0 });
    await expectInOrder();
    expect(await budget.lower(id, 2_000, { spillTo: async () => 1_000 })).toBe(shareBytes - 2_000);
    expect(await memory.readShare(id)).toMatchObject({ shareBytes: 2_000 });
    await expectInOrder();
  });

  it('tells of every tenant in the pool, by pages', async () => {
    const app = await ownApp(transport);
    const budget = budgetOf(app);
    const ids = await Promise.all(Array.from({ length: 600 }, () => sessionMemory(app).newTenant()));
    await Promise.all(ids.map((id) => budget.grow(id, { ...NOTHING, neededBytes: 1, maxBytes: 1 })));
    const found = new Set<TenantId>();
    let pages = 0;
    for (let cursor: string | null = null, done = false; !done; done = cursor === null, pages++) {
      const { holders, next } = await budget.holders(cursor);
      for (const { tenantId, grantedBytes } of holders) if (grantedBytes === 1) found.add(tenantId);
      cursor = next;
    }
    expect([...found].sort()).toEqual([...ids].sort());
    expect(pages).toBeGreaterThan(1);
  });
});

describe('a session memory of 10 MB [P2]', () => {
  const max = 10_000_000;

  it('has room for 2,000 tenants with 2 KB each, one after the other, without taking from any', async () => {
    const app = await ownApp('tcp');
    const memory = sessionMemory(app);
    // With what is charged for a session beside its data.
    const bytes = 2_048 + 512;
    for (let i = 0; i < 2_000; i++)
      expect(await write(app, { id: await memory.newTenant(), bytes, keep: 1, redis: app.redis, max })).toBe(true);
    expect(await budgetOf(app).totalGranted()).toBeLessThanOrEqual(max);
  });

  it('is not asked for each session of a tenant that makes many', async () => {
    const app = await ownApp('tcp');
    let grants = 0;
    const redis = withFailpoints(app.redis, ({ name, phase }) => {
      if (phase === 'before' && name === 'grant-session-memory') grants++;
    });
    const id = await sessionMemory(app).newTenant();
    for (let i = 0; i < 2_000; i++) expect(await write(app, { id, bytes: 1_000, keep: 1, redis, max })).toBe(true);
    // Half as much again each time until that is a chunk, and a chunk then.
    expect(grants).toBeLessThanOrEqual(12 + Math.ceil((2_000 * 1_000) / CHUNK));
  });
});

describe('a Redis that is full [P2]', () => {
  it('lowers shares all the same', async () => {
    const { url } = await ownRedis();
    const app = await testApp({ env: { REDIS_URL: url } });
    const memory = sessionMemory(app);
    const id = await memory.newTenant();
    await write(app, { id, bytes: 500_000, keep: 1, redis: app.redis });
    const granted = await budgetOf(app).totalGranted();
    expect(granted).toBeGreaterThan(500_000);
    await memory.spillTo(id, 1_000);
    await app.redis.send(['CONFIG', 'SET', 'maxmemory', '1'], { kind: 'write' });
    expect(await budgetOf(app).lower(id, 2_000, { spillTo: async () => 1_000 })).toBe(granted - 2_000);
    expect(await budgetOf(app).release(id)).toBe(2_000);
  });
});
