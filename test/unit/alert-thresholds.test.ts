import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertPeriod, dueAlerts, type Mark, markName, reached, type Use } from '../../lib/alerts/thresholds.ts';

const use = (used: number, limit = 100, changes: Partial<Use> = {}): Use => ({
  resource: 'memory_bytes',
  period: '2026-11',
  used,
  limit,
  refused: false,
  ...changes,
});
const NAME = markName(use(0));

/** What is told when these uses are seen one after the other; marks as raise-alert keeps them. */
function told(...uses: readonly Use[]): readonly number[] {
  const marks = new Map<string, Mark>();
  return uses.flatMap((one) =>
    dueAlerts([one], marks).map((crossing) => {
      const before = marks.get(NAME) ?? { threshold: 0, amount: 0 };
      marks.set(NAME, {
        threshold: Math.max(before.threshold, crossing.threshold),
        amount: Math.max(before.amount, crossing.amount),
      });
      return crossing.threshold;
    }),
  );
}

describe('a threshold is reached [T10]', () => {
  it.each([
    [0, null],
    [49, null],
    [50, 50],
    [79, 50],
    [80, 80],
    [99, 80],
    [100, 100],
    [120, 100],
  ])('%d of 100: %s', (used, threshold) => {
    expect(reached(use(used))?.threshold ?? null).toBe(threshold);
  });

  it('exactly, of the largest quotas', () => {
    const limit = 1_000_000_000_000_000;
    expect(reached(use(limit * 0.8 - 1, limit))?.threshold).toBe(50);
    expect(reached(use(limit * 0.8, limit))?.threshold).toBe(80);
    expect(reached(use(limit - 1, limit))?.threshold).toBe(80);
  });

  it('of a quota of 0 by a refusal only', () => {
    expect(reached(use(0, 0))).toBeNull();
    expect(reached(use(5, 0))).toBeNull();
    expect(reached(use(0, 0, { refused: true }))).toEqual({ threshold: 100, amount: 0 });
  });

  it('by a refusal, whatever seems to be left', () => {
    expect(reached(use(90, 100, { refused: true }))?.threshold).toBe(100);
  });
});

describe('a threshold is told [T10]', () => {
  it('once in a period', () => {
    expect(told(use(50), use(60), use(40), use(50), use(80), use(85), use(100), use(100))).toEqual([50, 80, 100]);
  });

  it('with those below it', () => {
    expect(told(use(100), use(50), use(80))).toEqual([100]);
    expect(told(use(85), use(60), use(99), use(100))).toEqual([80, 100]);
  });

  it('once of a quota of 0', () => {
    const refused = use(0, 0, { refused: true });
    expect(told(refused, refused)).toEqual([100]);
  });

  it('again after the quota was raised only where it stands for more', () => {
    expect(told(use(90), use(90, 150), use(119, 150), use(120, 150), use(150, 150))).toEqual([80, 80, 100]);
    expect(told(use(90), use(90, 1_000), use(499, 1_000), use(500, 1_000))).toEqual([80, 50]);
  });

  it('after the quota was lowered only where it is a higher one', () => {
    expect(told(use(60), use(60, 70), use(60, 60))).toEqual([50, 80, 100]);
    expect(told(use(80), use(45, 50), use(50, 50))).toEqual([80, 100]);
  });

  it('the highest of several signs of one quota', () => {
    const [first, ...more] = dueAlerts([use(60), use(85), use(82), use(10, 100, { period: '2026-10' })], new Map());
    expect(first).toMatchObject({ threshold: 80, used: 85 });
    expect(more).toEqual([]);
  });

  it('each quota and period by itself', () => {
    const uses = [use(50), use(50, 100, { period: '2026-10' }), use(50, 100, { resource: 'storage_bytes' })];
    expect(dueAlerts(uses, new Map())).toHaveLength(3);
    expect(dueAlerts(uses, new Map([[NAME, { threshold: 50, amount: 50 }]]))).toHaveLength(2);
  });

  it('at most once for each, in any order of uses under one quota, and 100 always', () => {
    const uses = fc.array(fc.nat(120), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(uses, fc.integer({ min: 1, max: 120 }), (amounts, limit) => {
        const thresholds = told(...amounts.map((used) => use(used, limit)));
        expect(new Set(thresholds).size).toBe(thresholds.length);
        expect([...thresholds].sort((a, b) => a - b)).toEqual(thresholds);
        expect(thresholds.includes(100)).toBe(amounts.some((used) => used >= limit));
      }),
    );
  });
});

describe('periods [T10]', () => {
  it('are calendar months in UTC, and days of operations a minute', () => {
    const at = Date.parse('2026-11-30T23:59:59.999Z');
    expect(alertPeriod('data_transfer_bytes', at)).toBe('2026-11');
    expect(alertPeriod('memory_bytes', at + 1)).toBe('2026-12');
    expect(alertPeriod('operations_per_minute', at)).toBe('2026-11-30');
    expect(alertPeriod('operations_per_minute', at + 1)).toBe('2026-12-01');
  });
});
