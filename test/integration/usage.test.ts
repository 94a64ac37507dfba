/** Usage on real Redis: live, over time, and from points that the gate itself left behind. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { hourPoint, minutePoint } from '../../lib/gate/counters.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { tenantWithPast, textOf } from '../support/billing-state.ts';
import { MINUTE_MS } from '../support/counters-text.ts';
import { gateState } from '../support/gate-state.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const ENTRY = { namespace: 'ns', key: 'k' };
const value = (bytes: number) => ({
  value: Buffer.alloc(bytes, 'x'),
  meta: { content_type: 'text/plain' },
  ttlMs: null,
});

let app: App;
beforeAll(async () => {
  app = await testApp();
});
const nowMs = async () => Number((await gateState(app, ANY).timeUs()) / 1_000n);
const ANY = 'tenant-01k9zzzzzzzzzzzzzzzzzzzzz0' as Parameters<typeof gateState>[1];

describe.each(TRANSPORTS)('live usage over %s [T6 A6]', (transport) => {
  it('is what was done, of which limits', async () => {
    const on = await testApp({ transport });
    const { tenant, caller } = await newTenant(on, { quotas: { memory_bytes: 100_000, operations_per_minute: 1_000 } });
    for (let i = 0; i < 3; i++) await on.cache.set(caller, ENTRY, value(500));
    await on.cache.get(caller, ENTRY);
    const usage = await on.usage.get(tenant.id);
    const { used } = await on.account.identify(caller);
    expect(usage).toMatchObject({
      tenant_id: tenant.id,
      memory_bytes: used.memory_bytes,
      limits: { memory_bytes: 100_000, operations_per_minute: 1_000 },
      reserved: { memory_bytes: 0, storage_bytes: 0, data_transfer_bytes: 0 },
      total: { operation_count: 4, data_bytes: used.bytes_in + used.bytes_out, storage_bytes: 0 },
      series: null,
    });
    // The minute may have ended in between.
    expect([0, 1, 2, 3, 4]).toContain(usage.operations_per_minute);
    expect(usage.data_transfer_bytes).toBeGreaterThanOrEqual(2_000);
    expect(usage.percent.memory_bytes).toBe(Math.round(used.memory_bytes / 10) / 100);
    expect(usage.resets_at.memory_bytes).toBeNull();
    expect(usage.resets_at.data_transfer_bytes).toMatch(/-01T00:00:00\.000Z$/);
  });
});

describe('what sessions take [T6 A6 S2]', () => {
  const OF_SESSIONS = { sessions: 5, hotSessionBytes: 3_210, spilledSessions: 2, spilledBytes: 61_440 };
  const SHOWN = { sessions: 5, spilled_sessions: 2, session_memory_bytes: 3_210, spilled_bytes: 61_440 };
  const NONE = { sessions: 0, spilled_sessions: 0, session_memory_bytes: 0, spilled_bytes: 0 };

  it('is told beside memory and storage, now and at the end of each bucket, and a call changes none of it', async () => {
    const now = await nowMs();
    const { tenant, caller } = await newTenant(app);
    expect(await app.usage.get(tenant.id)).toMatchObject(NONE);
    const gate = gateState(app, tenant.id);
    const stock = { memoryBytes: 5_000, storageBytes: 70_000, ...OF_SESSIONS };
    await gate.write('m', textOf(now - 90 * MINUTE_MS, { operations: 40, ...stock }));
    await app.cache.set(caller, ENTRY, value(100));
    await app.cache.delete(caller, ENTRY);
    const usage = await app.usage.get(tenant.id, { step: 'hour' });
    expect(usage).toMatchObject({ memory_bytes: 5_000, storage_bytes: 70_000, ...SHOWN });
    expect(usage.series?.items.at(0)).toMatchObject({ memory_bytes: 0, ...NONE });
    expect(usage.series?.items.at(-1)).toMatchObject({ memory_bytes: 5_000, ...SHOWN });
    expect(usage.series?.items.at(-2)).toMatchObject({ memory_bytes: 5_000, ...SHOWN });
    expect((await app.account.identify(caller)).used).toMatchObject({ memory_bytes: 5_000, ...SHOWN });
  });
});

describe('usage of a minute and month that have ended [T6]', () => {
  it('is used no more', async () => {
    const now = await nowMs();
    const past = await tenantWithPast(app, { madeMs: now - 40 * DAY_MS });
    const counters = { operationsThisMinute: 9, operations: 9, transferBytes: 500, periodEndMs: now - DAY_MS };
    await past.setCounters(now - 35 * DAY_MS, counters);
    expect(await app.usage.get(past.id)).toMatchObject({
      operations_per_minute: 0,
      data_transfer_bytes: 0,
      total: { operation_count: 9 },
    });
  });

  it('says null of a limit of nothing, and what is reserved', async () => {
    const { tenant } = await newTenant(app, { quotas: { storage_bytes: 0 } });
    await gateState(app, tenant.id).write('r', 'r1,7,8,9,0,0');
    expect(await app.usage.get(tenant.id)).toMatchObject({
      percent: { storage_bytes: null },
      reserved: { memory_bytes: 7, storage_bytes: 8, data_transfer_bytes: 9 },
    });
  });
});

describe('a series [T6 A6]', () => {
  it('has what the gate itself kept when a minute and an hour had ended', async () => {
    const now = await nowMs();
    const { tenant, caller } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    const atMs = now - 90 * MINUTE_MS;
    await gate.write('m', textOf(atMs, { operations: 40, bytesOut: 400, memoryBytes: 10 }));
    // The first call since: it keeps what was, in the slots of that minute and hour.
    await app.cache.set(caller, ENTRY, value(100));
    expect(await gate.read(minutePoint(Math.floor(atMs / MINUTE_MS)))).toContain(',40,');
    expect(await gate.read(hourPoint(Math.floor(atMs / HOUR_MS)))).toContain(',40,');
    const { series } = await app.usage.get(tenant.id, { step: 'hour' });
    const counts = series?.items.filter(({ operation_count }) => operation_count > 0);
    expect(counts?.map(({ operation_count, data_bytes }) => [operation_count, data_bytes >= 100])).toEqual([
      [40, true],
      [1, true],
    ]);
    expect(counts?.[0]?.timestamp).toBe(new Date(Math.floor(atMs / HOUR_MS) * HOUR_MS).toISOString());
    expect(series?.items).toHaveLength(24);
  });

  it('adds up, bucket by bucket, to what a coarser one says', async () => {
    const now = await nowMs();
    const past = await tenantWithPast(app, { madeMs: now - 10 * DAY_MS });
    const minute = Math.floor(now / MINUTE_MS);
    for (const back of [100, 61, 60, 30, 1]) {
      const atMs = (minute - back) * MINUTE_MS + 1_000;
      await past.gate.write(minutePoint(minute - back), textOf(atMs, { operations: 1_000 - back }));
      await past.gate.write(hourPoint(Math.floor(atMs / HOUR_MS)), textOf(atMs, { operations: 1_000 - back }));
    }
    await past.setCounters(now, { operations: 1_000 });
    const total = async (step: 'minute' | 'hour', fromMs: number) => {
      const { series } = await app.usage.get(past.id, { step, fromMs });
      return series?.items.reduce((sum, { operation_count }) => sum + operation_count, 0);
    };
    const from = Math.floor((now - HOUR_MS) / HOUR_MS) * HOUR_MS;
    expect(await total('minute', from)).toBe(await total('hour', from));
    expect(await total('hour', now - 5 * HOUR_MS)).toBe(1_000);
  });

  it('is refused where a step is too fine, with what to ask for instead', async () => {
    const { tenant } = await newTenant(app);
    const asked = app.usage.get(tenant.id, { step: 'minute', fromMs: Date.now() - DAY_MS });
    await expect(asked).rejects.toMatchObject({
      code: 'invalid_request',
      issues: [{ field: 'query.from', message: expect.stringContaining('step=hour') }],
    });
  });

  it('of a tenant that does not exist is none', async () => {
    await expect(app.usage.get(ANY)).rejects.toMatchObject({ code: 'tenant_not_found' });
  });
});
