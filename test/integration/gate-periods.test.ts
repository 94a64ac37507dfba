/** What ends with time: minutes, hours, days and months, each kept as it stood; transfer by the month; byte-time. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { dayPoint, hourPoint, minutePoint, periodPoint, unpackCounters } from '../../lib/gate/counters.ts';
import { removeExpiredRecords } from '../../lib/redis/bindings/record-scripts.ts';
import { runScript } from '../../lib/redis/script.ts';
import { newTenant, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { keysOf, tenantState } from '../support/tenant-state.ts';

const entry = { namespace: 'ns', key: 'k' };
const set = (bytes: number) => ({
  value: Buffer.alloc(bytes, 'x'),
  meta: { content_type: 'text/plain' },
  ttlMs: null,
});

let app: App;
beforeAll(async () => {
  app = await testApp({ env: { PERSISTENCE_CACHE_ENABLE_COMPRESSION: 'false' } });
});

/** End of the calendar month of an instant, UTC. */
const monthEnd = (ms: number) => {
  const at = new Date(ms);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
};

describe('points of usage [T6 T7]', () => {
  it('a minute, an hour, a day and a month that have ended are kept as they stood, in the same call', async () => {
    const { tenant, caller } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    await app.cache.set(caller, entry, set(100));
    const nowMs = Number((await gate.timeUs()) / 1_000n);
    // The last call was 40 days ago.
    const then = nowMs - 40 * 86_400_000;
    const minute = Math.floor(then / 60_000);
    await gate.setMeter({ minute: BigInt(minute), periodEnd: BigInt(monthEnd(then)) });
    const before = await gate.read('m');
    await app.cache.get(caller, entry);

    const state = (await tenantState(app, tenant.id)).gate;
    const [hour, day] = [Math.floor(minute / 60), Math.floor(minute / 1_440)];
    for (const field of [minutePoint(minute), hourPoint(hour), dayPoint(day), periodPoint(monthEnd(then))]) {
      expect(state[field], field).toBe(before);
    }
    const { minute: thisMinute, periodEndMs, transferBytes, operations } = unpackCounters(state.m ?? '');
    expect(thisMinute).toBeGreaterThanOrEqual(Math.floor(nowMs / 60_000));
    expect({ periodEndMs, transferBytes, operations }).toEqual({
      periodEndMs: monthEnd(nowMs),
      transferBytes: 100,
      operations: 2,
    });
  });

  it('within a minute nothing is kept, and only what has ended is', async () => {
    const { tenant, caller } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    await app.cache.get(caller, entry);
    const points = async () =>
      Object.keys((await tenantState(app, tenant.id)).gate).filter((field) => /^[up]:/.test(field));
    const minute = Number((await gate.meter()).minute);
    // An earlier minute of the same hour, or the last one of the hour before.
    await gate.setMeter({ minute: BigInt(minute - 1) });
    await app.cache.get(caller, entry);
    const expected = minute % 60 === 0 ? 2 : 1;
    expect((await points()).length).toBeGreaterThanOrEqual(expected);
    expect((await points())[0]).toBe(minutePoint(minute - 1));
  });

  it('the end of the month is that of the calendar, in every year', async () => {
    const { caller, tenant } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    await app.cache.get(caller, entry);
    const now = Number((await gate.timeUs()) / 1_000n);
    expect(Number((await gate.meter()).periodEnd)).toBe(monthEnd(now));
    // The script's own arithmetic, for days of 300 years.
    const source = removeExpiredRecords.source;
    const monthEndLua = source.slice(
      source.indexOf('local function month_end'),
      source.indexOf('-- Counters of formats m1'),
    );
    const instants = fc.sample(fc.integer({ min: 0, max: 9_466_848_000_000 }), 2_000);
    const leap = [
      Date.UTC(2028, 1, 29),
      Date.UTC(2100, 1, 28),
      Date.UTC(2000, 1, 29),
      Date.UTC(2026, 11, 31, 23, 59, 59, 999),
    ];
    const all = [...instants, ...leap];
    const lua = `${monthEndLua}\nlocal ends = {}\nfor i, at in ipairs(ARGV) do ends[i] = string.format('%d', month_end(tonumber(at))) end\nreturn ends`;
    const ends = (await app.redis.send(['EVAL', lua, 0, ...all], { kind: 'read' })) as readonly string[];
    expect(ends.map(Number)).toEqual(all.map(monthEnd));
  });

  it('clean-up that changes what is kept closes the month first', async () => {
    const { tenant, caller } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    await app.cache.set(caller, entry, { ...set(100), ttlMs: 1 });
    const nowMs = Number((await gate.timeUs()) / 1_000n);
    const then = nowMs - 40 * 86_400_000;
    await gate.setMeter({
      minute: BigInt(Math.floor(then / 60_000)),
      periodEnd: BigInt(monthEnd(then)),
      stockAt: BigInt(then),
    });
    const before = await gate.read('m');
    const keys = keysOf(app);
    const index = keys.index(tenant.id, 1);
    await expect
      .poll(async () => {
        const members = (await tenantState(app, tenant.id)).index as readonly string[];
        const expiries = members
          .filter((member) => member.startsWith('e'))
          .map((member) => Number(member.split('\0')[1]));
        if (expiries.length === 0) return 0;
        await runScript(app.redis, removeExpiredRecords, {
          keys: { gate: keys.gate(tenant.id), index, records: [keys.cacheEntry(tenant.id, 1, entry)] },
          args: { expiries },
          kind: 'write',
        });
        return expiries.length;
      })
      .toBe(0);
    expect((await tenantState(app, tenant.id)).gate[periodPoint(monthEnd(then))]).toBe(before);
    const counters = unpackCounters(await gate.read('m'));
    expect(counters.memoryBytes).toBe(0);
    const kept = unpackCounters(before).memoryBytes;
    expect(counters.memoryByteMs - unpackCounters(before).memoryByteMs).toBe(
      BigInt(kept) * BigInt(counters.stockAtMs - then),
    );
    await auditTenant(app, tenant.id);
  });
});

describe('byte-time [T7]', () => {
  it('is exact to the last byte-millisecond, for any bytes and any time', async () => {
    const bytes = fc.oneof(fc.nat(10_000), fc.bigInt(0n, 10n ** 15n).map(Number));
    const time = fc.bigInt(0n, 31_536_000_000n * 30n).map(Number);
    await fc.assert(
      fc.asyncProperty(bytes, bytes, time, async (memory, storage, ms) => {
        const { tenant, caller } = await newTenant(app, {
          quotas: { memory_bytes: 1e15, operations_per_minute: 60_000 },
        });
        const gate = gateState(app, tenant.id);
        const nowMs = Number((await gate.timeUs()) / 1_000n);
        await gate.setMeter({
          memory: BigInt(memory),
          storage: BigInt(storage),
          stockAt: BigInt(nowMs - ms),
          memoryLo: 999_999_999_999_999n,
        });
        await app.cache.set(caller, entry, set(1)).catch((error) => expect(error.code).toBe('memory_full'));
        const after = unpackCounters(await gate.read('m'));
        const passed = BigInt(after.stockAtMs - (nowMs - ms));
        expect(after.memoryByteMs).toBe(999_999_999_999_999n + BigInt(memory) * passed);
        expect(after.storageByteMs).toBe(BigInt(storage) * passed);
      }),
      { numRuns: 60 },
    );
  });
});

describe('data transfer of a month [T4]', () => {
  it('admits exactly what fits, in and out, and says what is used and when it begins anew', async () => {
    const { tenant, caller } = await newTenant(app, {
      quotas: { data_transfer_bytes: 250, operations_per_minute: 60_000 },
    });
    const gate = gateState(app, tenant.id);
    await app.cache.set(caller, entry, set(100));
    expect(await app.cache.get(caller, entry)).not.toBeNull();
    const before = await tenantState(app, tenant.id);
    const nowMs = Number((await gate.timeUs()) / 1_000n);
    for (const refused of [() => app.cache.get(caller, entry), () => app.cache.set(caller, entry, set(51))]) {
      const error = await refused().catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'quota_exceeded',
        status: 429,
        details: { resource: 'data_transfer_bytes', used: 200, limit: 250 },
      });
      const { resets_in_ms } = (error as { details: { resets_in_ms: number } }).details;
      expect(Math.abs(nowMs + resets_in_ms - monthEnd(nowMs))).toBeLessThan(60_000);
    }
    expect(await tenantState(app, tenant.id)).toEqual(before);
    // What moves no bytes goes on, and so does what still fits.
    expect(await app.cache.head(caller, entry)).not.toBeNull();
    await app.cache.set(caller, { ...entry, key: 'other' }, set(50));
    expect(Number((await gate.meter()).transfer)).toBe(250);
  });

  it('100 callers race for 40 reads', async () => {
    const { tenant, caller } = await newTenant(app, {
      quotas: { data_transfer_bytes: 41 * 7, operations_per_minute: 60_000 },
    });
    await app.cache.set(caller, entry, set(7));
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => app.cache.get(caller, entry)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
    expect(Number((await gateState(app, tenant.id).meter()).bytesOut)).toBe(40 * 7);
  });

  it('begins anew with the month', async () => {
    const { tenant, caller } = await newTenant(app, {
      quotas: { data_transfer_bytes: 100, operations_per_minute: 60_000 },
    });
    const gate = gateState(app, tenant.id);
    await app.cache.set(caller, entry, set(100));
    await expect(app.cache.get(caller, entry)).rejects.toMatchObject({ code: 'quota_exceeded' });
    const ended = Number((await gate.timeUs()) / 1_000n) - 1;
    await gate.setMeter({ periodEnd: BigInt(ended), minute: BigInt(Math.floor(ended / 60_000) - 1) });
    expect(await app.cache.get(caller, entry)).not.toBeNull();
    expect((await gate.meter()).transfer).toBe(100n);
  });
});
