import { describe, expect, it } from 'vitest';
import type { Resource } from '../../lib/alerts/resources.ts';
import { recentPoints, type Signs, usesOf } from '../../lib/alerts/uses.ts';
import { type Counters, minutePoint, NO_COUNTERS, unpackCounters } from '../../lib/gate/counters.ts';

const NOW = Date.parse('2026-12-01T00:00:30Z');
const MINUTE = Math.floor(NOW / 60_000);
const quotas = { memory_bytes: 1_000, storage_bytes: 2_000, operations_per_minute: 10, data_transfer_bytes: 3_000 };
const counters = (changes: Partial<Counters>): Counters => ({ ...unpackCounters(NO_COUNTERS), ...changes });
const signs = (changes: Partial<Signs>): Signs => ({
  quotas,
  counters: counters({}),
  points: [],
  refusals: new Map(),
  ...changes,
});
const of = (resource: Resource, changes: Partial<Signs>) =>
  usesOf(signs(changes), NOW).filter((use) => use.resource === resource);

describe('uses of a tenant [T10]', () => {
  it('memory and storage as they are, in the month that is', () => {
    const at = { counters: counters({ memoryBytes: 900, storageBytes: 100 }) };
    expect(of('memory_bytes', at)).toEqual([
      { resource: 'memory_bytes', period: '2026-12', used: 900, limit: 1_000, refused: false },
    ]);
    expect(of('storage_bytes', at)).toMatchObject([{ used: 100, limit: 2_000 }]);
  });

  it('transfer in the month it was counted in, also when that has just ended', () => {
    const november = { transferBytes: 2_900, periodEndMs: Date.parse('2026-12-01T00:00:00Z') };
    expect(of('data_transfer_bytes', { counters: counters(november) })).toMatchObject([
      { period: '2026-11', used: 2_900 },
    ]);
    const december = { transferBytes: 1, periodEndMs: Date.parse('2027-01-01T00:00:00Z') };
    expect(of('data_transfer_bytes', { counters: counters(december) })).toMatchObject([{ period: '2026-12', used: 1 }]);
    const october = { transferBytes: 2_900, periodEndMs: Date.parse('2026-11-01T00:00:00Z') };
    expect(of('data_transfer_bytes', { counters: counters(october) })).toEqual([]);
  });

  it('operations of each minute of the last hour, in its day', () => {
    const minute = (back: number, operationsThisMinute: number) =>
      counters({ minute: MINUTE - back, operationsThisMinute });
    const uses = of('operations_per_minute', {
      counters: minute(0, 2),
      points: [minute(1, 9), minute(2, 5), minute(120, 10)],
    });
    expect(uses.map(({ used, period }) => [used, period])).toEqual([
      [2, '2026-12-01'],
      [9, '2026-11-30'],
      [5, '2026-11-30'],
    ]);
    expect(of('operations_per_minute', { counters: minute(100_000, 10) })).toEqual([]);
  });

  it('refusals of the last hour', () => {
    const refusals = new Map<Resource, number>([
      ['memory_bytes', NOW - 1_000],
      ['storage_bytes', NOW - 3_600_000],
    ]);
    const at = { counters: counters({ memoryBytes: 700 }), refusals };
    expect(of('memory_bytes', at)).toContainEqual({
      resource: 'memory_bytes',
      period: '2026-12',
      used: 700,
      limit: 1_000,
      refused: true,
    });
    expect(of('storage_bytes', at).filter(({ refused }) => refused)).toEqual([]);
  });

  it('looks back five minutes', () => {
    expect(recentPoints(NOW)).toHaveLength(5);
    expect(recentPoints(NOW)[0]).toBe(minutePoint(MINUTE - 1));
  });
});
