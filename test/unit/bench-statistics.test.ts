import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommandStats } from '../bench/command-stats.ts';
import { atLeast, atMost, isReached, type Row, rowOf } from '../bench/row.ts';
import { median, percentile, ratiosOf, spreadOf } from '../bench/statistics.ts';
import { jsonOfBytes } from '../bench/values.ts';
import { judge } from '../bench/verdict.ts';

const numbers = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 50 });

const row = (id: string, values: readonly number[], facts: Partial<Row> = {}): Row =>
  rowOf({ id, layer: 'lib', what: id, unit: '×', detail: '', ...facts }, values);

describe('statistics of the bench', () => {
  it('ranks numbers as numbers, not as text', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([1, 2, 3, 10])).toBe(2.5);
    expect(percentile([10, 9, 100, 1], 0.5)).toBe(9);
    expect(percentile([10, 9, 100, 1], 1)).toBe(100);
    expect(spreadOf([10, 9, 100])).toEqual({ min: 9, max: 100 });
  });

  it('finds a median with as many numbers above as below, whatever their order', () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const middle = median(list);
        const above = list.filter((value) => value > middle).length;
        const below = list.filter((value) => value < middle).length;
        expect(Math.max(above, below)).toBeLessThanOrEqual(list.length / 2);
        expect(median([...list].reverse())).toBe(middle);
      }),
    );
  });

  it('compares the sides round by round, and refuses sides of different rounds', () => {
    expect(ratiosOf([2, 30], [1, 10])).toEqual([2, 3]);
    expect(() => ratiosOf([1, 2], [1])).toThrow(RangeError);
  });

  it('has no median of nothing', () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('what counts as reached', () => {
  it('is the bound itself, and not beyond it', () => {
    expect([isReached(atMost(1.2), 1.2), isReached(atMost(1.2), 1.21)]).toEqual([true, false]);
    expect([isReached(atLeast(0.9), 0.9), isReached(atLeast(0.9), 0.89)]).toEqual([true, false]);
  });

  it.each([
    { got: [1, 1, 9], verdict: 'met', runsMet: 2 },
    { got: [1, 9, 9], verdict: 'missed', runsMet: 1 },
    { got: [1, 9], verdict: 'missed', runsMet: 1 },
    { got: [1], verdict: 'met', runsMet: 1 },
  ])('is what two of three runs reached: $got is $verdict', ({ got, verdict, runsMet }) => {
    const runs = got.map((value) => [row('a', [value], { reach: atMost(2) })]);
    expect(judge(runs)).toMatchObject([{ id: 'a', verdict, runsMet, runs: got.length, got: median(got) }]);
  });

  it('keeps rows apart, and the widest spread of each', () => {
    const runs = [
      [row('a', [1, 2, 3]), row('b', [7])],
      [row('a', [0, 2, 2]), row('b', [8])],
    ];
    expect(judge(runs)).toMatchObject([
      { id: 'a', verdict: 'shown', got: 2, spread: { min: 0, max: 3 } },
      { id: 'b', verdict: 'shown', got: 7.5, spread: { min: 7, max: 8 } },
    ]);
  });
});

describe('what the bench reads and writes', () => {
  it('reads counts and time of each command, and nothing else', () => {
    const text =
      '# Commandstats\r\ncmdstat_get:calls=12,usec=34,usec_per_call=2.83,rejected_calls=0\r\ncmdstat_config|set:calls=1,usec=9,usec_per_call=9.00\r\nother:calls=3,usec=4\r\n';
    expect([...parseCommandStats(text)]).toEqual([
      ['get', { calls: 12, us: 34 }],
      ['config|set', { calls: 1, us: 9 }],
    ]);
  });

  it.each([64, 100, 1_024, 10_240, 102_400])('makes JSON of exactly %i bytes, the same each time', (bytes) => {
    const value = jsonOfBytes(bytes);
    expect(value).toHaveLength(bytes);
    expect(() => JSON.parse(value.toString('utf8'))).not.toThrow();
    expect(jsonOfBytes(bytes)).toEqual(value);
  });
});
