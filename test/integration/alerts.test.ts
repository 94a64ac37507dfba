/** Quotas that fill up are found and raised, once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { minutePoint } from '../../lib/gate/counters.ts';
import { packLimits, unpackLimits } from '../../lib/gate/gate-fields.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { alertService, dueOf, MINUTE_MS, quietTenant, setUse } from '../support/alert-service.ts';
import { TRANSPORTS } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';

const DAY_MS = 86_400_000;

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

describe.each(TRANSPORTS)('a pass over all tenants, over %s [T10]', (transport) => {
  it('raises each quota at its highest threshold, once, and lists it for delivery', async () => {
    const service = await alertService({ transport });
    const { app, alerts, clock } = service;
    const id = await quietTenant(app);
    const quiet = await quietTenant(app);
    await setUse(app, quiet, { memory: 499, storage: 499, minuteOps: 499, transfer: 499 }, clock.nowMs);
    await setUse(app, id, { memory: 500, storage: 850, minuteOps: 1_000, transfer: 700 }, clock.nowMs);

    expect(await alerts.evaluate()).toEqual({ tenants: 2, raised: 4, unreadable: 0, finished: true });
    expect(await alerts.evaluate()).toEqual({ tenants: 2, raised: 0, unreadable: 0, finished: true });
    const { items } = await alerts.list(id);
    const month = new Date(clock.nowMs).toISOString().slice(0, 7);
    const day = new Date(clock.nowMs).toISOString().slice(0, 10);
    expect(
      items.map(({ resource, threshold_percent, used, period }) => [resource, threshold_percent, used, period]),
    ).toEqual(
      expect.arrayContaining([
        ['memory_bytes', 50, 500, month],
        ['storage_bytes', 80, 850, month],
        ['operations_per_minute', 100, 1_000, day],
        ['data_transfer_bytes', 50, 700, month],
      ]),
    );
    expect(items).toHaveLength(4);
    expect(items.every(({ status, deliveries }) => status === 'pending' && deliveries.length === 0)).toBe(true);
    expect((await alerts.list(quiet)).items).toEqual([]);
    expect(await dueOf(service)).toHaveLength(8);
  });
});

describe('a threshold [T10]', () => {
  it('is told again in the next period, and higher ones as they are reached', async () => {
    const { app, alerts, clock } = await alertService();
    const id = await quietTenant(app);
    const thresholds = async () => (await alerts.list(id)).items.map((alert) => alert.threshold_percent).reverse();
    for (const memory of [600, 400, 600, 800, 900, 1_000]) {
      await setUse(app, id, { memory }, clock.nowMs);
      await alerts.evaluate();
      clock.nowMs += 1;
    }
    expect(await thresholds()).toEqual([50, 80, 100]);
    clock.nowMs += 32 * DAY_MS;
    await alerts.evaluate();
    await alerts.evaluate();
    expect(await thresholds()).toEqual([50, 80, 100, 100]);
  });

  it('of a minute is found after the minute has ended', async () => {
    const { app, alerts, clock } = await alertService();
    const id = await quietTenant(app);
    await setUse(app, id, { minuteOps: 900 }, clock.nowMs - 3 * MINUTE_MS);
    const gate = gateState(app, id);
    const ended = Math.floor(clock.nowMs / MINUTE_MS) - 3;
    await gate.write(minutePoint(ended), await gate.read('m'));
    await setUse(app, id, { minuteOps: 1 }, clock.nowMs);
    await alerts.evaluate();
    expect((await alerts.list(id)).items).toMatchObject([
      { resource: 'operations_per_minute', threshold_percent: 80, used: 900 },
    ]);
    clock.nowMs += MINUTE_MS;
    expect((await alerts.evaluate()).raised).toBe(0);
  });

  it('of a month is told of the month it was reached in, also just after its end', async () => {
    const { app, alerts, clock } = await alertService();
    const id = await quietTenant(app);
    const november = Date.parse('2026-11-30T23:59:58Z');
    await setUse(app, id, { transfer: 990 }, november);
    clock.nowMs = november + 30_000;
    await alerts.evaluate();
    expect((await alerts.list(id)).items).toMatchObject([{ resource: 'data_transfer_bytes', period: '2026-11' }]);
    clock.nowMs += 2 * 3_600_000;
    expect((await alerts.evaluate()).raised).toBe(0);
  });

  it('is told again after the quota was raised only where it stands for more', async () => {
    const { app, alerts, clock } = await alertService();
    const id = await quietTenant(app);
    await setUse(app, id, { memory: 900 }, clock.nowMs);
    await alerts.evaluate();
    const { quotas } = unpackLimits(await gateState(app, id).read('h'));
    await gateState(app, id).setLimits({ quotas: { ...quotas, memory_bytes: 1_500 } });
    expect((await alerts.evaluate()).raised).toBe(0);
    await setUse(app, id, { memory: 1_200 }, clock.nowMs);
    expect((await alerts.evaluate()).raised).toBe(1);
    expect((await alerts.evaluate()).raised).toBe(0);
  });

  it('is raised once by ten passes at once', async () => {
    const service = await alertService();
    const others = await Promise.all(Array.from({ length: 9 }, () => alertService({ beside: service })));
    const id = await quietTenant(service.app);
    await setUse(service.app, id, { memory: 800, transfer: 800 }, service.clock.nowMs);
    const passes = await Promise.all([service, ...others].map(({ alerts }) => alerts.evaluate()));
    expect(passes.reduce((sum, { raised }) => sum + raised, 0)).toBe(2);
    expect((await service.alerts.list(id)).items).toHaveLength(2);
  });
});

describe('a refusal [T10]', () => {
  it('tells that a quota is used up, whatever is left of it, and is forgotten then', async () => {
    const { app, alerts, clock, keys } = await alertService();
    const id = await quietTenant(app);
    await setUse(app, id, { memory: 300 }, clock.nowMs);
    await alerts.noteRefusal(id, 'memory_bytes');
    expect((await alerts.evaluate()).raised).toBe(1);
    expect((await alerts.list(id)).items).toMatchObject([
      { resource: 'memory_bytes', threshold_percent: 100, used: 300, limit: 1_000, refused: true },
    ]);
    expect(await app.redis.send(['HLEN', keys.refusals()], { kind: 'read' })).toBe(0);
    expect((await alerts.evaluate()).raised).toBe(0);
  });

  it('is the only sign of a quota of 0', async () => {
    const { app, alerts } = await alertService();
    const quotas = { memory_bytes: 0, storage_bytes: 0, operations_per_minute: 0, data_transfer_bytes: 0 };
    const id = await quietTenant(app, { quotas });
    expect((await alerts.evaluate()).raised).toBe(0);
    await alerts.noteRefusal(id, 'operations_per_minute');
    expect((await alerts.evaluate()).raised).toBe(1);
    expect((await alerts.list(id)).items).toMatchObject([{ threshold_percent: 100, limit: 0 }]);
  });

  it('is noted once a minute on an instance, and stays when it was noted again meanwhile', async () => {
    const { app, alerts, clock, keys } = await alertService();
    const id = await quietTenant(app);
    const noted = async () =>
      Number(await app.redis.send(['HGET', keys.refusals(), `${id},memory_bytes`], { kind: 'read' }));
    await alerts.noteRefusal(id, 'memory_bytes');
    const first = await noted();
    clock.nowMs += 1;
    await alerts.noteRefusal(id, 'memory_bytes');
    expect(await noted()).toBe(first);
    clock.nowMs += MINUTE_MS;
    await alerts.noteRefusal(id, 'memory_bytes');
    expect(await noted()).toBe(clock.nowMs);
  });

  it('never fails the request that was refused', async () => {
    const failpoint = ({ phase }: { phase: string }) => {
      if (phase === 'before' && failing) throw new Error('Redis is gone');
    };
    let failing = false;
    const { app, alerts, keys } = await alertService({ failpoint });
    const id = await quietTenant(app);
    failing = true;
    await alerts.noteRefusal(id, 'memory_bytes');
    failing = false;
    expect(await app.redis.send(['HLEN', keys.refusals()], { kind: 'read' })).toBe(0);
    await alerts.noteRefusal(id, 'memory_bytes');
    expect(await app.redis.send(['HLEN', keys.refusals()], { kind: 'read' })).toBe(1);
  });
});

describe('what is kept [T10]', () => {
  it('is the last 100 alerts, and marks of this month and the last', async () => {
    const { app, alerts, clock, keys } = await alertService();
    const id = await quietTenant(app);
    for (let day = 0; day < 104; day++) {
      await setUse(app, id, { minuteOps: 600 }, clock.nowMs);
      await alerts.evaluate();
      clock.nowMs += DAY_MS;
    }
    const { items } = await alerts.list(id);
    expect(items).toHaveLength(100);
    expect(items.map((alert) => alert.id)).toEqual(
      items
        .map((alert) => alert.id)
        .sort()
        .reverse(),
    );
    const fields = (await app.redis.send(['HKEYS', keys.alerts(id)], { kind: 'read' })) as readonly string[];
    expect(fields.filter((field) => field.startsWith('a:')).length).toBeLessThanOrEqual(62);
  });
});

describe('one tenant holds up no other [T10]', () => {
  it('whose gate is damaged, or that is gone or deleted', async () => {
    const { app, alerts, clock, keys } = await alertService();
    const [damaged, odd, deleted, gone, well] = await Promise.all(Array.from({ length: 5 }, () => quietTenant(app)));
    if (!damaged || !odd || !deleted || !gone || !well) throw new Error('five tenants');
    for (const id of [odd, deleted, gone, well]) await setUse(app, id, { memory: 900 }, clock.nowMs);
    await gateState(app, damaged).write('m', 'nonsense');
    await gateState(app, odd).write('h', 'h1,strange,1,1,1,1,1,1,1');
    const limits = unpackLimits(await gateState(app, deleted).read('h'));
    await gateState(app, deleted).write('h', packLimits({ ...limits, status: 'deleted' }));
    await app.redis.send(['DEL', keys.gate(gone)], { kind: 'write' });
    expect(await alerts.evaluate()).toEqual({ tenants: 5, raised: 1, unreadable: 2, finished: true });
    expect((await alerts.list(well)).items).toHaveLength(1);
  });

  it('that is erased while a pass runs: nothing of it comes back', async () => {
    let erase = async () => {};
    const service = await alertService({
      failpoint: ({ name, phase }) => (name === 'ZADD' && phase === 'after' ? erase() : undefined),
    });
    const { app, alerts, clock, keys } = service;
    const id = await quietTenant(app);
    await setUse(app, id, { memory: 900 }, clock.nowMs);
    erase = async () => {
      erase = async () => {};
      await app.tenantAdmin.remove(id, { undoMs: 0 });
      expect(await app.erasure.eraseDue()).toMatchObject({ erased: 1 });
    };
    expect(await alerts.evaluate()).toMatchObject({ raised: 0, unreadable: 0 });
    expect(await app.redis.send(['EXISTS', keys.alerts(id)], { kind: 'read' })).toBe(0);
  });

  it('among 250, in three pages', async () => {
    const { app, alerts, clock } = await alertService();
    const ids = await Promise.all(Array.from({ length: 250 }, () => quietTenant(app)));
    await Promise.all(ids.map((id, i) => setUse(app, id, { memory: i % 2 === 0 ? 500 : 0 }, clock.nowMs)));
    expect(await alerts.evaluate()).toMatchObject({ tenants: 250, raised: 125, finished: true });
    expect(await alerts.evaluate(AbortSignal.abort())).toMatchObject({ finished: false });
  });
});
