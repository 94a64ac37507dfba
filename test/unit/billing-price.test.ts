/** Prices: whole numbers, one rounding a line, lines that add up to the total. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TARIFFS } from '../../lib/billing/default-tariffs.ts';
import { decimalOf, divideRounded, divideUp, numberOf } from '../../lib/billing/money.ts';
import { priceSegments } from '../../lib/billing/price.ts';
import type { Quantities, Segment } from '../../lib/billing/quantities.ts';
import { PLANS, type Tariff } from '../../lib/billing/tariff.ts';
import { type Period, parsePeriod } from '../../lib/gate/period.ts';
import { PLANS as TENANT_PLANS } from '../../lib/tenants/contract.ts';

const NOVEMBER = parsePeriod('2026-11') as Period;
const MONTH_MS = NOVEMBER.endMs - NOVEMBER.startMs;
const TARIFF = DEFAULT_TARIFFS[0] as Tariff;
const GIB = 2n ** 30n;

const NOTHING: Quantities = {
  operations: 0n,
  transferBytes: 0n,
  computeUs: 0n,
  memoryByteMs: 0n,
  storageByteMs: 0n,
};
const big = (max: bigint) => fc.bigInt({ min: 0n, max });
const quantities: fc.Arbitrary<Quantities> = fc.record({
  operations: big(10n ** 13n),
  transferBytes: big(2n ** 53n),
  computeUs: big(10n ** 16n),
  memoryByteMs: big(10n ** 24n),
  storageByteMs: big(10n ** 24n),
});
const plan = fc.constantFrom(...PLANS);

/** A month cut at any instants, each part with its plan and what was used in it. */
const segments = fc
  .array(fc.record({ cut: fc.nat(MONTH_MS), plan, used: quantities }), { minLength: 1, maxLength: 6 })
  .map((parts) => {
    const sorted = [...parts].sort((a, b) => a.cut - b.cut);
    return sorted.map(({ cut, ...rest }, i): Segment => {
      const to = sorted[i + 1]?.cut ?? MONTH_MS;
      return { ...rest, fromMs: NOVEMBER.startMs + (i === 0 ? 0 : cut), toMs: NOVEMBER.startMs + to };
    });
  });
const whole = (used: Partial<Quantities>, of: (typeof PLANS)[number] = 'starter'): Segment[] => [
  { plan: of, fromMs: NOVEMBER.startMs, toMs: NOVEMBER.endMs, used: { ...NOTHING, ...used } },
];
const amounts = (list: readonly Segment[]) =>
  Object.fromEntries(priceSegments(list, TARIFF, NOVEMBER).map(({ key, amountMicros }) => [key, amountMicros]));

describe('the lines of an invoice [T7]', () => {
  it('cost nothing but the fee within what is included', () => {
    expect(amounts(whole({ operations: 10_000_000n, transferBytes: 10n * GIB }))).toEqual({
      base_fee: 9_000_000n,
      operations: 0n,
      data_transfer: 0n,
      compute_time: 0n,
      hot_storage: 0n,
      cold_storage: 0n,
    });
  });

  it('price what is beyond it', () => {
    const used = {
      operations: 12_500_000n,
      transferBytes: 12n * GIB,
      computeUs: 11n * 3_600_000_000n,
      memoryByteMs: (5n * GIB * BigInt(MONTH_MS)) / 4n,
      storageByteMs: 6n * GIB * BigInt(MONTH_MS),
    };
    expect(amounts(whole(used))).toEqual({
      base_fee: 9_000_000n,
      operations: 1_000_000n,
      data_transfer: 180_000n,
      compute_time: 100_000n,
      hot_storage: 4_000_000n,
      cold_storage: 40_000n,
    });
  });

  it('are rounded once, a half up', () => {
    // 1,250,000 operations less than a micro-unit's worth apart: 2.5 operations are one micro-unit.
    const used = (extra: bigint) => amounts(whole({ operations: 10_000_000n + extra })).operations;
    expect([used(1n), used(2n), used(3n), used(4n), used(5n)]).toEqual([0n, 1n, 1n, 2n, 2n]);
    expect(divideRounded(5n, 10n)).toBe(1n);
    expect(divideRounded(-5n, 10n)).toBe(-1n);
    expect(divideUp(1n, 10n)).toBe(1n);
  });

  it('give half the fee and half of what is included for half a month', () => {
    const half: Segment = {
      ...(whole({ operations: 6_000_000n })[0] as Segment),
      toMs: NOVEMBER.startMs + MONTH_MS / 2,
    };
    const lines = priceSegments([half], TARIFF, NOVEMBER);
    expect(lines[0]).toMatchObject({ key: 'base_fee', amountMicros: 4_500_000n });
    expect(lines[1]).toMatchObject({ key: 'operations', included: 5_000_000n, billable: 1_000_000n });
  });

  it('are whole, never below nothing, and the same each time', () => {
    fc.assert(
      fc.property(segments, (list) => {
        const lines = priceSegments(list, TARIFF, NOVEMBER);
        expect(lines.every(({ amountMicros, billable, quantity }) => amountMicros >= 0n && billable <= quantity)).toBe(
          true,
        );
        expect(priceSegments(list, TARIFF, NOVEMBER)).toEqual(lines);
        expect(lines).toHaveLength(6 * new Set(list.map((segment) => segment.plan)).size);
      }),
    );
  });

  it('hold all that was used, and all of the time', () => {
    fc.assert(
      fc.property(segments, (list) => {
        const lines = priceSegments(list, TARIFF, NOVEMBER);
        const billed = (key: string) =>
          lines.filter((line) => line.key === key).reduce((sum, { quantity }) => sum + quantity, 0n);
        const used = (of: keyof Quantities) => list.reduce((sum, segment) => sum + segment.used[of], 0n);
        expect(billed('operations')).toBe(used('operations'));
        expect(billed('data_transfer')).toBe(used('transferBytes'));
        expect(billed('hot_storage')).toBe(used('memoryByteMs'));
        expect(billed('base_fee')).toBe(BigInt(MONTH_MS));
      }),
    );
  });

  it('are the same when a segment is cut in two of the same plan', () => {
    fc.assert(
      fc.property(segments, fc.nat(5), fc.nat(1_000), (list, which, at) => {
        const i = which % list.length;
        const { plan: of, fromMs, toMs, used } = list[i] as Segment;
        const middle = fromMs + Math.floor(((toMs - fromMs) * at) / 1_000);
        const part = (name: keyof Quantities) => (used[name] * BigInt(at)) / 1_000n;
        const first = Object.fromEntries(Object.keys(used).map((n) => [n, part(n as keyof Quantities)]));
        const rest = Object.fromEntries(
          Object.keys(used).map((n) => [n, used[n as keyof Quantities] - part(n as keyof Quantities)]),
        );
        const cut: Segment[] = [
          { plan: of, fromMs, toMs: middle, used: first as unknown as Quantities },
          { plan: of, fromMs: middle, toMs, used: rest as unknown as Quantities },
        ];
        expect(priceSegments(list.toSpliced(i, 1, ...cut), TARIFF, NOVEMBER)).toEqual(
          priceSegments(list, TARIFF, NOVEMBER),
        );
      }),
    );
  });

  it('never cost less for more', () => {
    fc.assert(
      fc.property(segments, quantities, fc.nat(5), (list, more, which) => {
        const i = which % list.length;
        const { used, ...rest } = list[i] as Segment;
        const grown = Object.fromEntries(
          Object.keys(used).map((n) => [n, used[n as keyof Quantities] + more[n as keyof Quantities]]),
        ) as unknown as Quantities;
        const after = priceSegments(list.with(i, { ...rest, used: grown }), TARIFF, NOVEMBER);
        const before = priceSegments(list, TARIFF, NOVEMBER);
        expect(after.every(({ amountMicros }, n) => amountMicros >= (before[n]?.amountMicros ?? 0n))).toBe(true);
      }),
    );
  });
});

describe('money [T7]', () => {
  it.each([
    [0n, '0.000000'],
    [1n, '0.000001'],
    [-1n, '-0.000001'],
    [12_345_678n, '12.345678'],
    [-500_000n, '-0.500000'],
  ])('%s is written %s', (micros, text) => {
    expect(decimalOf(micros)).toBe(text);
  });

  it('is refused where JSON would lose some', () => {
    expect(numberOf(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => numberOf(2n ** 53n)).toThrow(RangeError);
  });

  it('is rounded as a fraction is', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.bigInt(1n, 10n ** 20n), (part, of) => {
        const rest = 2n * (part - divideRounded(part, of) * of);
        expect(rest <= of && rest >= -of).toBe(true);
      }),
    );
  });
});

it('plans are those of tenants', () => {
  expect(PLANS).toEqual(TENANT_PLANS);
});
