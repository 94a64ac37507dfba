/** The memory of all tenants' hot sessions: never above what there is, whoever is late or ends halfway. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { type FailpointHook, withFailpoints } from '../../lib/redis/failpoints.ts';
import { createSessionBudget } from '../../lib/sessions/spillover/session-budget.ts';
import { TRANSPORTS, testApp } from '../support/app.ts';
import { ownRedis } from '../support/redis-own.ts';
import { sessionMemory } from '../support/session-memory.ts';
import { keysOf } from '../support/tenant-state.ts';
import { createTraffic, type Traffic } from '../support/traffic.ts';

const MAX = 1024 * 1024;
/** What a tenant is granted beyond its need. */
const CHUNK = 65_536;
const config = { maxMemoryBytes: MAX, thresholdRatio: 0.8 };
const NOTHING = { hotBytes: 0, shareBytes: 0, epoch: 0, maxBytes: null };

/** A pool of the test's own. */
const ownApp = (transport: (typeof TRANSPORTS)[number]) =>
  testApp({ transport, env: { PERSISTENCE_CACHE_KEY_PREFIX: `pool${randomBytes(5).toString('hex')}` } });

const budgetOf = (app: App, redis = app.redis) => createSessionBudget({ redis, keys: keysOf(app), config });

/** As a request does it: written, or asked for room first, or the tenant's own sessions moved. */
async function write(
  app: App,
  { id, bytes, keep, redis }: { id: TenantId; bytes: number; keep: number; redis: App['redis'] },
) {
  const memory = sessionMemory(app);
  for (let round = 0; round < 4; round++) {
    const { written, ...state } = await memory.addHot(id, bytes, redis);
    if (written) return true;
    const { raised } = await budgetOf(app, redis).grow(id, { ...state, neededBytes: bytes, maxBytes: null });
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

  it('is granted with a chunk more in two round trips, and asked for no more until that is used', async () => {
    const app = await ownApp(transport);
    const calls: string[] = [];
    const counted = withFailpoints(app.redis, ({ name, phase }) => void (phase === 'before' && calls.push(name)));
    const memory = sessionMemory(app);
    const id = await memory.newTenant();
    const outcome = await budgetOf(app, counted).grow(id, { ...NOTHING, neededBytes: 1_000 });
    expect(outcome).toEqual({ raised: true, shareBytes: CHUNK + 1_000, totalGranted: CHUNK + 1_000, pressed: false });
    expect(calls).toEqual(['grant-session-memory', 'set-session-share']);
    expect(await memory.readShare(id)).toEqual({ shareBytes: CHUNK + 1_000, epoch: 1 });
    expect(await memory.addHot(id, CHUNK + 1_000)).toMatchObject({ written: true });
    expect(await memory.addHot(id, 1)).toMatchObject({ written: false, hotBytes: CHUNK + 1_000, epoch: 1 });
  });

  it('goes to its last byte, and then nobody is granted more; it says when it is pressed', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const [one, other] = [await memory.newTenant(), await memory.newTenant()];
    const large = { ...NOTHING, neededBytes: MAX - 2 * CHUNK };
    expect(await budget.grow(one, large)).toMatchObject({ raised: true, totalGranted: MAX - CHUNK, pressed: true });
    const rest = { raised: true, shareBytes: CHUNK, totalGranted: MAX, pressed: true };
    expect(await budget.grow(other, { ...NOTHING, neededBytes: CHUNK })).toEqual(rest);
    const none = { raised: false, shareBytes: CHUNK, totalGranted: MAX, pressed: true };
    const asked = { hotBytes: CHUNK, shareBytes: CHUNK, epoch: 1, neededBytes: 1, maxBytes: null };
    expect(await budget.grow(other, asked)).toMatchObject({ ...none, raised: true });
    await memory.addHot(other, CHUNK);
    expect(await budget.grow(other, asked)).toEqual(none);
  });

  it('is granted no further than a tenant may go by itself', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const id = await memory.newTenant();
    const asked = { ...NOTHING, neededBytes: 1_000, maxBytes: 1_500 };
    expect(await budgetOf(app).grow(id, asked)).toMatchObject({ raised: true, shareBytes: 1_500, pressed: false });
    await memory.addHot(id, 1_000);
    const more = { ...asked, hotBytes: 1_000, shareBytes: 1_500, epoch: 1 };
    expect(await budgetOf(app).grow(id, more)).toMatchObject({ raised: false, shareBytes: 1_500, pressed: true });
  });

  it('is free for others once a share is lowered, and not while sessions are still there', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const id = await memory.newTenant();
    await write(app, { id, bytes: 500_000, keep: 1, redis: app.redis });
    const stuck = () => memory.spillTo(id, MAX);
    expect(await budget.lower(id, 100_000, { spillTo: stuck })).toBe(0);
    expect(await budget.totalGranted()).toBe(500_000 + CHUNK);
    // Its next write takes the share back.
    expect(await write(app, { id, bytes: 1, keep: 1, redis: app.redis })).toBe(true);
    const spillTo = (bytes: number) => memory.spillTo(id, bytes);
    expect(await budget.lower(id, 100_000, { spillTo })).toBe(400_001 + CHUNK);
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
    await write(app, { id: one, bytes: 400_000, keep: 1, redis: app.redis });
    await write(app, { id: other, bytes: 400_000, keep: 1, redis: app.redis });
    await memory.losePool();
    // Who asks for more counts with what it has.
    const hotBytes = 400_000;
    await budget.grow(one, { hotBytes, ...(await memory.readShare(one)), neededBytes: 1, maxBytes: null });
    expect(await budget.totalGranted()).toBe(400_001 + CHUNK);
    expect(await budget.reconcile(ids)).toEqual({ adopted: 1, released: 0 });
    expect(await budget.reconcile(ids)).toEqual({ adopted: 0, released: 0 });
    const both = 2 * (400_000 + CHUNK) + 1;
    expect(await memory.look(ids)).toMatchObject({ totalBytes: both, sumBytes: both });

    await memory.losePool();
    await write(app, { id: late, bytes: MAX - CHUNK, keep: 1, redis: app.redis });
    expect(await budget.reconcile(ids)).toEqual({ adopted: 2, released: 0 });
    expect(await budget.totalGranted()).toBe(MAX + both);
    expect(
      await budget.grow(one, { hotBytes, ...(await memory.readShare(one)), neededBytes: CHUNK + 2, maxBytes: null }),
    ).toMatchObject({
      raised: false,
      pressed: true,
    });
  });

  it('is left by a tenant that is no more', async () => {
    const app = await ownApp(transport);
    const memory = sessionMemory(app);
    const budget = budgetOf(app);
    const ids = await Promise.all([1, 2, 3, 4].map(() => memory.newTenant()));
    const [gone, lowered, released, stays] = ids as [TenantId, TenantId, TenantId, TenantId];
    for (const id of ids) await budget.grow(id, { ...NOTHING, neededBytes: 1_000 });
    for (const id of [gone, lowered]) await memory.removeGate(id);
    expect(await budget.lower(lowered, 0, { spillTo: async () => 0 })).toBe(CHUNK + 1_000);
    expect(await budget.release(released)).toBe(CHUNK + 1_000);
    expect(await budget.release(released)).toBe(0);
    expect(await budget.reconcile([gone, lowered, stays])).toEqual({ adopted: 0, released: 1 });
    expect((await budget.holders(null)).holders).toEqual([{ tenantId: stays, grantedBytes: CHUNK + 1_000, epoch: 1 }]);
    expect(await budget.totalGranted()).toBe(CHUNK + 1_000);
    // A gate that is gone is not made anew.
    expect(await budget.grow(gone, { ...NOTHING, neededBytes: 1 })).toMatchObject({ raised: false, shareBytes: 0 });
    expect(await app.redis.send(['EXISTS', keysOf(app).gate(gone)], { kind: 'read' })).toBe(0);
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

describe('a Redis that is full [P2]', () => {
  it('lowers shares all the same', async () => {
    const { url } = await ownRedis();
    const app = await testApp({ env: { REDIS_URL: url } });
    const memory = sessionMemory(app);
    const id = await memory.newTenant();
    await write(app, { id, bytes: 500_000, keep: 1, redis: app.redis });
    await memory.spillTo(id, 1_000);
    await app.redis.send(['CONFIG', 'SET', 'maxmemory', '1'], { kind: 'write' });
    expect(await budgetOf(app).lower(id, 2_000, { spillTo: async () => 1_000 })).toBe(498_000 + CHUNK);
    expect(await budgetOf(app).release(id)).toBe(2_000);
  });
});
