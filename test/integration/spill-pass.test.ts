/** Passes over all tenants: what goes to S3, what shares are lowered, and what comes back. */
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { BlobUnavailableError } from '../../lib/errors.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { SpilloverResponse } from '../../lib/sessions/http/spillover-contract.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { auditSessions } from '../support/session-audit.ts';
import { sessionMemory } from '../support/session-memory.ts';
import {
  addSessions,
  BUDGET,
  expectWhole,
  hotBytesOf,
  hotBytesOfAll,
  spillingApp,
  THRESHOLD,
  tiersOf,
} from '../support/spilling.ts';
import { keysOf } from '../support/tenant-state.ts';

telemetry.logger.setLogLevel('SILENT');

const tenantOf = async (app: App, sessions = {}) => (await newTenant(app, { sessions })).caller;

describe.each(TRANSPORTS)('a pass over %s [P2 P6]', (transport) => {
  it('moves the coldest sessions until all are below the threshold, and leaves tenants with little alone', async () => {
    const app = await spillingApp({ transport });
    const [large, other, small] = [await tenantOf(app), await tenantOf(app), await tenantOf(app)];
    const few = await addSessions(app, small, 6);
    const some = await addSessions(app, other, 22);
    const old = await addSessions(app, large, 54);
    const before = await hotBytesOfAll(app, [large, other, small]);
    expect(before).toBeGreaterThan(THRESHOLD);
    // A request may have had to move some already.
    const { spilled: already } = await auditSessions(app, large.tenantId);
    const report = await app.spillPass.run();
    const spilled = already + report.spilled;
    const after = await hotBytesOfAll(app, [large, other, small]);
    expect(after).toBeLessThanOrEqual(THRESHOLD);
    expect(after).toBeGreaterThan(THRESHOLD - 22_000);
    expect(report).toMatchObject({
      ...{ tenants: 3, hotBytesBefore: before, hotBytes: after, budgetBytes: BUDGET, thresholdBytes: THRESHOLD },
      ...{ freedBytes: before - after, passedOver: 0, failed: 0, busy: false, storeFailed: false, finished: true },
    });
    // Only the one above its fair share gives, its coldest first.
    const tiers = await tiersOf(app, large, old);
    expect(tiers).toEqual(old.map((_id, i) => (i < spilled ? 'cold' : 'hot')));
    expect(new Set([...(await tiersOf(app, other, some)), ...(await tiersOf(app, small, few))])).toEqual(
      new Set(['hot']),
    );
    expect(await auditSessions(app, large.tenantId)).toMatchObject({ sessions: 54, spilled });
    expect(await app.spillPass.run()).toMatchObject({ spilled: 0, hotBytes: after });
    await expectWhole(app, large, old.slice(0, 3));
  });

  it('comes to the same whether one runs, eight at once or one after the other', async () => {
    const counts: number[] = [];
    for (const passes of [1, 8]) {
      const app = await spillingApp({ transport });
      const caller = await tenantOf(app);
      await addSessions(app, caller, 86);
      const reports = await Promise.all(Array.from({ length: passes }, () => app.spillPass.run()));
      const { spilled } = await auditSessions(app, caller.tenantId);
      expect(reports.reduce((sum, report) => sum + report.spilled, 0)).toBe(spilled);
      expect(reports.filter(({ busy }) => busy)).toHaveLength(passes - 1);
      expect(await hotBytesOf(app, caller.tenantId)).toBeLessThanOrEqual(THRESHOLD);
      counts.push(spilled);
    }
    expect(counts[0]).toBe(counts[1]);
  });

  it('brings shares below a memory that was made smaller, also where nobody waits for one', async () => {
    const ratio = { PERSISTENCE_SPILLOVER_THRESHOLD_RATIO: '0.95' };
    const before = await spillingApp({ transport, env: ratio });
    const caller = await tenantOf(before);
    await addSessions(before, caller, 80);
    const env = { ...ratio, PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(BUDGET / 2) };
    const app = await spillingApp({ transport, env }, before.config.cache.keyPrefix);
    for (let i = 0; i < 2; i++) await app.spillPass.run();
    const { tenants, totalBytes, sumBytes } = await sessionMemory(app).look([caller.tenantId]);
    expect(sumBytes).toBe(totalBytes);
    expect(totalBytes).toBeLessThanOrEqual(BUDGET / 2);
    expect(tenants[0]?.shareBytes).toBeLessThanOrEqual(BUDGET / 2);
    expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 80 });
  });

  it('tells what it would move, and moves nothing', async () => {
    const app = await spillingApp({ transport });
    const caller = await tenantOf(app);
    await addSessions(app, caller, 86);
    const before = await auditSessions(app, caller.tenantId);
    const dry = await app.spillPass.run({ dry: true });
    expect(await auditSessions(app, caller.tenantId)).toEqual(before);
    expect(await app.spillStats.ofAll()).toMatchObject({ as_of: null });
    const { spilled, freedBytes, hotBytes } = await app.spillPass.run();
    expect(dry).toMatchObject({ spilled, freedBytes, hotBytes });
  });

  it('brings a tenant below its own limit while there is plenty of memory', async () => {
    const app = await spillingApp({ transport });
    const caller = await tenantOf(app, { max_hot_bytes: 200_000, spill_threshold_ratio: 0.5 });
    await addSessions(app, caller, 9);
    expect(await hotBytesOf(app, caller.tenantId)).toBeGreaterThan(100_000);
    await app.spillPass.run();
    expect(await hotBytesOf(app, caller.tenantId)).toBeLessThanOrEqual(100_000);
    expect(await hotBytesOf(app, caller.tenantId)).toBeGreaterThan(78_000);
  });

  it('takes back what tenants do not use any more, for others to use', async () => {
    const app = await spillingApp({ transport });
    const [gone, other] = [await tenantOf(app), await tenantOf(app)];
    await addSessions(app, gone, 60);
    await app.sessions.terminateUser(gone, 'ada');
    expect(await app.spillPass.run()).toMatchObject({ lowered: 1, spilled: 0, finished: true });
    const { tenants, totalBytes, sumBytes } = await sessionMemory(app).look([gone.tenantId, other.tenantId]);
    expect(tenants[0]).toEqual({ hotBytes: 0, shareBytes: 0, grantedBytes: 0 });
    expect(totalBytes).toBe(sumBytes);
    await addSessions(app, other, 70);
    expect(await auditSessions(app, other.tenantId)).toMatchObject({ sessions: 70, spilled: 0 });
  });

  it('makes room for who has none: shares above the fair level are lowered once the pool is empty', async () => {
    const app = await spillingApp({ transport });
    const [first, late] = [await tenantOf(app), await tenantOf(app)];
    await addSessions(app, first, 90);
    for (let pass = 0; pass < 6; pass++) {
      // Who was refused asks again after a while; another instance at once.
      const instance = await spillingApp({ transport }, app.config.cache.keyPrefix);
      await addSessions(instance, late, 15);
      const { tenants, sumBytes } = await sessionMemory(app).look([first.tenantId, late.tenantId]);
      expect(sumBytes).toBeLessThanOrEqual(BUDGET);
      for (const { hotBytes, shareBytes } of tenants) expect(hotBytes).toBeLessThanOrEqual(shareBytes);
      await app.spillPass.run();
    }
    const [one, two] = [await hotBytesOf(app, first.tenantId), await hotBytesOf(app, late.tenantId)];
    expect(one + two).toBeLessThanOrEqual(THRESHOLD);
    expect(Math.min(one, two)).toBeGreaterThan(THRESHOLD / 3);
    await auditSessions(app, first.tenantId);
    await auditSessions(app, late.tenantId);
  });

  it('brings back what was used last once there is plenty of memory, and stops far below the threshold', async () => {
    const app = await spillingApp({ transport });
    const [kept, gone] = [await tenantOf(app), await tenantOf(app)];
    const ids = await addSessions(app, kept, 48);
    await addSessions(app, gone, 40, { userId: 'bob' });
    await app.spillPass.run();
    const { spilled } = await auditSessions(app, kept.tenantId);
    expect(spilled).toBeGreaterThan(0);
    await app.sessions.terminateUser(gone, 'bob');
    let restored = 0;
    for (let pass = 0; pass < 8; pass++) restored += (await app.spillPass.run()).restored;
    expect(restored).toBeGreaterThan(0);
    const tiers = await tiersOf(app, kept, ids);
    // The newest of those that were cold are hot again.
    expect(tiers.indexOf('hot')).toBe(tiers.lastIndexOf('cold') + 1);
    expect(await hotBytesOf(app, kept.tenantId)).toBeLessThanOrEqual(THRESHOLD * 0.6);
    await auditSessions(app, kept.tenantId);
    expect(await app.spillPass.run()).toMatchObject({ restored: 0, spilled: 0 });
  });
});

describe('what a pass says of all tenants [P1 P6]', () => {
  it('is the sum of them, told with the busiest, and of one tenant live', async () => {
    const app = await spillingApp();
    const [one, two] = [await tenantOf(app), await tenantOf(app)];
    await addSessions(app, one, 85);
    const ids = await addSessions(app, two, 8);
    await app.spillPass.run();
    const first = await app.spillStats.ofTenant(one.tenantId);
    const second = await app.spillStats.ofTenant(two.tenantId);
    const all = await app.spillStats.ofAll();
    const sum = (amount: (stats: SpilloverResponse) => number) => amount(first) + amount(second);
    expect(all).toMatchObject({
      ...{ tenant_id: null, sessions: 93, spilled_sessions: sum((of) => of.spilled_sessions) },
      ...{ spilled_bytes: sum((of) => of.spilled_bytes), total_spilled: sum((of) => of.total_spilled) },
      spill_operations: sum((of) => of.spill_operations),
      budget: {
        ...{ max_memory_bytes: BUDGET, threshold_ratio: 0.8, hot_bytes: sum((of) => of.budget.hot_bytes) },
        granted_bytes: sum((of) => of.budget.granted_bytes),
      },
      quarantined: { count: 0, latest: [] },
      busiest: [{ tenant_id: one.tenantId }, { tenant_id: two.tenantId }],
    });
    expect(all.avg_spill_time_ms).toBeGreaterThan(0);
    expect(all.avg_restore_time_ms).toBeNull();
    expect(second).toMatchObject({ sessions: 8, avg_restore_time_ms: null });
    await app.sessions.terminate(two, ids[0] as string);
    expect(await app.spillStats.ofTenant(two.tenantId)).toMatchObject({ sessions: 7 });
  });

  it('names the sessions in quarantine, of all and of a tenant', async () => {
    const app = await spillingApp();
    const [one, two] = [await tenantOf(app), await tenantOf(app, { max_hot_bytes: 65_536 })];
    const ids = await addSessions(app, two, 3);
    await app.spillPass.run();
    const tiers = await tiersOf(app, two, ids);
    const lost = ids[tiers.indexOf('cold')] as string;
    const { items } = await app.blobs.list({ prefix: `sessions/spillover/${two.tenantId}/` });
    await app.blobs.delete(items.map(({ key }) => key));
    await expect(app.sessions.get(two, lost)).rejects.toMatchObject({ code: 'session_lost' });
    const named = [{ tenant_id: two.tenantId, session_id: lost.split('-').slice(0, 2).join('-') }];
    expect((await app.spillStats.ofAll()).quarantined).toMatchObject({ count: 1, latest: named });
    expect((await app.spillStats.ofTenant(two.tenantId)).quarantined).toMatchObject({ count: 1, latest: named });
    expect((await app.spillStats.ofTenant(one.tenantId)).quarantined).toEqual({ count: 0, latest: [] });
  });
});

describe('a pass that meets trouble [P2 P3]', () => {
  it('leaves everything where it is while S3 does not answer, counts it, and goes on when it does', async () => {
    const counted: string[] = [];
    let down = true;
    const app = await spillingApp({
      failpoint: ({ port, name: call, phase }) => {
        if (down && port === 'blobs' && call === 'put' && phase === 'before') throw new BlobUnavailableError('down');
      },
    });
    const caller = await tenantOf(app);
    const ids = await addSessions(app, caller, 86);
    const before = await auditSessions(app, caller.tenantId);
    const count = telemetry.count;
    Object.assign(telemetry, { count: (metric: string) => counted.push(metric) });
    const report = await app.spillPass.run().finally(() => Object.assign(telemetry, { count }));
    expect(report).toMatchObject({ spilled: 0, storeFailed: true, finished: false, hotBytes: before.hotBytes });
    expect(counted).toContain('riptide_session_spill_failed_total');
    expect((await tiersOf(app, caller, ids)).every((tier) => tier === 'hot')).toBe(true);
    down = false;
    // Those that were claimed in vain wait; the next coldest go in their place.
    expect(await app.spillPass.run()).toMatchObject({ storeFailed: false, finished: true });
    expect(await hotBytesOf(app, caller.tenantId)).toBeLessThanOrEqual(THRESHOLD);
    await auditSessions(app, caller.tenantId);
  });

  it('goes on with the others when a tenant cannot be read', async () => {
    const app = await spillingApp();
    const [broken, unreadable, good] = [await tenantOf(app), await tenantOf(app), await tenantOf(app)];
    for (const caller of [broken, unreadable, good]) await addSessions(app, caller, 30);
    const keys = keysOf(app);
    await app.redis.send(['SET', keys.index(broken.tenantId, 1), 'no index'], { kind: 'write' });
    await app.redis.send(['HSET', keys.gate(unreadable.tenantId), 'b', 'no share'], { kind: 'write' });
    // The good one alone is above what is left of the memory without the one that cannot be read.
    const report = await app.spillPass.run();
    expect(report).toMatchObject({ tenants: 2, unreadable: 1 });
  });

  it('ends early when it is told to, and says so', async () => {
    const app = await spillingApp();
    const caller = await tenantOf(app);
    await addSessions(app, caller, 86);
    const stop = new AbortController();
    const stopping = await spillingApp(
      { failpoint: ({ name, phase }) => void (name === 'stub-sessions' && phase === 'after' && stop.abort()) },
      app.config.cache.keyPrefix,
    );
    const report = await stopping.spillPass.run({ signal: stop.signal }).catch((error: unknown) => error);
    expect(report).toMatchObject({ code: 'deadline_exceeded' });
    await app.spillPass.run();
    expect(await hotBytesOf(app, caller.tenantId)).toBeLessThanOrEqual(THRESHOLD);
    await auditSessions(app, caller.tenantId);
  });
});
