/**
 * From usage to the lines of an invoice: pure, in whole numbers, the same for the same input.
 *
 * The law: what was used under one plan within a period is one sum, however often the plan changed back and forth. What the
 * plan includes, and its fee, hold for its part of the month, by the millisecond; an included part is rounded up. Each line
 * is rounded once, to the nearest micro-unit, a half up; the total is the sum of the rounded lines.
 */

import type { Period } from '../gate/period.ts';
import { divideRounded, divideUp } from './money.ts';
import { addQuantities, type Quantities, type Segment } from './quantities.ts';
import type { Plan, PlanPrices, Tariff } from './tariff.ts';

export interface Line {
  readonly key: 'base_fee' | 'operations' | 'data_transfer' | 'compute_time' | 'hot_storage' | 'cold_storage';
  readonly plan: Plan;
  /** In `unit`. */
  readonly quantity: bigint;
  readonly unit: string;
  readonly included: bigint;
  /** `quantity` beyond what is included. */
  readonly billable: bigint;
  readonly unitPriceMicros: bigint;
  /** What `unitPriceMicros` is the price of. */
  readonly pricedPer: string;
  readonly amountMicros: bigint;
}

interface Measure {
  readonly key: Exclude<Line['key'], 'base_fee'>;
  readonly unit: string;
  readonly pricedPer: string;
  quantity(used: Quantities): bigint;
  /** For a whole month of `monthMs`. */
  included(prices: PlanPrices, monthMs: bigint): bigint;
  price(prices: PlanPrices): number;
  /** Units that one price buys. */
  perPrice(monthMs: bigint): bigint;
}

const GIB = 2n ** 30n;

const MEASURES: readonly Measure[] = [
  {
    key: 'operations',
    unit: 'operations',
    pricedPer: 'million operations',
    quantity: ({ operations }) => operations,
    included: ({ operations }) => BigInt(operations.included),
    price: ({ operations }) => operations.micros_per_million,
    perPrice: () => 1_000_000n,
  },
  {
    key: 'data_transfer',
    unit: 'bytes',
    pricedPer: 'GiB',
    quantity: ({ transferBytes }) => transferBytes,
    included: ({ data_transfer }) => BigInt(data_transfer.included_bytes),
    price: ({ data_transfer }) => data_transfer.micros_per_gib,
    perPrice: () => GIB,
  },
  {
    key: 'compute_time',
    unit: 'microseconds',
    pricedPer: 'hour',
    quantity: ({ computeUs }) => computeUs,
    included: ({ compute }) => BigInt(compute.included_ms) * 1_000n,
    price: ({ compute }) => compute.micros_per_hour,
    perPrice: () => 3_600_000_000n,
  },
  {
    key: 'hot_storage',
    unit: 'byte-milliseconds',
    pricedPer: 'GiB-month',
    quantity: ({ memoryByteMs }) => memoryByteMs,
    included: ({ hot_storage }, monthMs) => BigInt(hot_storage.included_bytes) * monthMs,
    price: ({ hot_storage }) => hot_storage.micros_per_gib_month,
    perPrice: (monthMs) => GIB * monthMs,
  },
  {
    key: 'cold_storage',
    unit: 'byte-milliseconds',
    pricedPer: 'GiB-month',
    quantity: ({ storageByteMs }) => storageByteMs,
    included: ({ cold_storage }, monthMs) => BigInt(cold_storage.included_bytes) * monthMs,
    price: ({ cold_storage }) => cold_storage.micros_per_gib_month,
    perPrice: (monthMs) => GIB * monthMs,
  },
];

/** Six lines for each plan, plans in the order they were first had. @param segments of `period`, in order. */
export function priceSegments(segments: readonly Segment[], tariff: Tariff, period: Period): readonly Line[] {
  const monthMs = BigInt(period.endMs - period.startMs);
  const byPlan = new Map<Plan, { ms: bigint; used: Quantities }>();
  for (const { plan, fromMs, toMs, used } of segments) {
    const ms = BigInt(toMs - fromMs);
    const sum = byPlan.get(plan);
    byPlan.set(plan, sum === undefined ? { ms, used } : { ms: sum.ms + ms, used: addQuantities(sum.used, used) });
  }
  return [...byPlan].flatMap(([plan, { ms, used }]) => {
    const prices = tariff.plans[plan];
    return [
      baseFee(plan, prices, { ms, monthMs }),
      ...MEASURES.map((measure) => lineOf(measure, { plan, prices, used, ms, monthMs })),
    ];
  });
}

function baseFee(plan: Plan, prices: PlanPrices, { ms, monthMs }: { ms: bigint; monthMs: bigint }): Line {
  const fee = BigInt(prices.base_fee_micros);
  return {
    key: 'base_fee',
    plan,
    quantity: ms,
    unit: 'milliseconds',
    included: 0n,
    billable: ms,
    unitPriceMicros: fee,
    pricedPer: 'month',
    amountMicros: divideRounded(fee * ms, monthMs),
  };
}

interface PlanUse {
  readonly plan: Plan;
  readonly prices: PlanPrices;
  readonly used: Quantities;
  /** How long the plan was had, and the whole month. */
  readonly ms: bigint;
  readonly monthMs: bigint;
}

function lineOf(measure: Measure, { plan, prices, used, ms, monthMs }: PlanUse): Line {
  const quantity = measure.quantity(used);
  const included = divideUp(measure.included(prices, monthMs) * ms, monthMs);
  const billable = quantity > included ? quantity - included : 0n;
  const unitPriceMicros = BigInt(measure.price(prices));
  return {
    key: measure.key,
    plan,
    quantity,
    unit: measure.unit,
    included,
    billable,
    unitPriceMicros,
    pricedPer: measure.pricedPer,
    amountMicros: divideRounded(billable * unitPriceMicros, measure.perPrice(monthMs)),
  };
}
