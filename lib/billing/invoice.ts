/** Makes the invoice of a month from a tenant's state: pure. */

import type { Period } from '../gate/period.ts';
import { isoOf } from '../iso-time.ts';
import { NO_TOTALS, totalsAt, totalsOf } from '../usage/totals.ts';
import type { Adjustment } from './adjustments.ts';
import type { BillingState } from './billing-state.ts';
import type { Invoice, InvoiceLine, InvoiceSegment } from './contract.ts';
import { decimalOf, numberOf } from './money.ts';
import { type Line, priceSegments } from './price.ts';
import type { Segment } from './quantities.ts';
import { segmentsOf } from './segments.ts';
import { type Plan, type Tariff, tariffOf } from './tariff.ts';

export interface Prices {
  readonly tariffs: readonly Tariff[];
  readonly currency: string;
}

/** How an invoice ends. `closed`: at the end of its month; `final`: closed now, in the middle of it. */
export type InvoiceEnd = 'open' | 'closed' | 'final';

/**
 * The invoice of a month, with the adjustments that are on no other one. A month goes from its start, or from the tenant's
 * creation, to its end, or to now.
 * @throws {RangeError} there is no such tenant, or it was not there in that month.
 */
export function makeInvoice(
  state: BillingState,
  period: Period,
  { prices, end }: { prices: Prices; end: InvoiceEnd },
): Invoice {
  const { tenant, nowMs, history } = state;
  if (tenant === null) throw new RangeError('A tenant without a record has no new invoice');
  const fromMs = Math.max(period.startMs, tenant.createdAtMs);
  const toMs = end === 'closed' ? period.endMs : Math.max(fromMs, Math.min(period.endMs, nowMs));
  if (fromMs >= period.endMs) throw new RangeError('The tenant was not there in that month');
  const latest = history.at(-1);
  const span = {
    fromMs,
    toMs,
    from: fromMs > period.startMs ? NO_TOTALS : totalsAt(history, period.startMs),
    to: toMs === period.endMs || latest === undefined ? totalsAt(history, toMs) : totalsOf(latest, toMs),
  };
  return assemble({
    state,
    period,
    prices,
    end,
    segments: segmentsOf(span, state.marks, tenant.plan),
    adjustments: dueAdjustments(state, period, end),
  });
}

/** Adjustments an invoice takes up: those on no other one; of a month that has ended, those made before its end. */
export const dueAdjustments = (
  { adjustments }: BillingState,
  { endMs }: Period,
  end: InvoiceEnd,
): readonly Adjustment[] =>
  adjustments.filter(({ atMs, period }) => period === null && (end !== 'closed' || atMs < endMs));

interface Parts {
  readonly state: BillingState;
  readonly period: Period;
  readonly prices: Prices;
  readonly end: InvoiceEnd;
  readonly segments: readonly Segment[];
  readonly adjustments: readonly Adjustment[];
}

function assemble({ state, period, prices, end, segments, adjustments }: Parts): Invoice {
  const tariff = tariffOf(prices.tariffs, period);
  const lines = [...priceSegments(segments, tariff, period).map(lineOf), ...adjustments.map(adjustmentLine)];
  return {
    tenant_id: state.tenantId,
    period: period.name,
    status: end === 'open' ? 'open' : 'closed',
    final: end === 'final',
    from: isoOf(segments[0]?.fromMs ?? period.startMs),
    to: isoOf(segments.at(-1)?.toMs ?? period.endMs),
    currency: prices.currency,
    tariff_version: tariff.version,
    segments: segments.map(segmentOf),
    lines,
    ...totalOf(lines),
    closed_at: end === 'open' ? null : isoOf(state.nowMs),
  };
}

/** The invoice as it would be, had the tenant had another plan all the time. Adjustments stay. */
export function simulate(
  invoice: Invoice,
  plan: Plan,
  { period, prices }: { period: Period; prices: Prices },
): Invoice {
  const tariff = tariffOf(prices.tariffs, period);
  const segments = invoice.segments.map((segment) => ({ ...readSegment(segment), plan }));
  const lines = [
    ...priceSegments(segments, tariff, period).map(lineOf),
    ...invoice.lines.filter(({ key }) => key === 'adjustment'),
  ];
  return {
    ...invoice,
    currency: prices.currency,
    tariff_version: tariff.version,
    segments: segments.map(segmentOf),
    lines,
    ...totalOf(lines),
  };
}

function totalOf(lines: readonly InvoiceLine[]) {
  const total = lines.reduce((sum, { amount_micros }) => sum + BigInt(amount_micros), 0n);
  return { total_micros: numberOf(total), total: decimalOf(total) };
}

const lineOf = (line: Line): InvoiceLine => ({
  key: line.key,
  plan: line.plan,
  quantity: String(line.quantity),
  unit: line.unit,
  included: String(line.included),
  billable: String(line.billable),
  unit_price_micros: numberOf(line.unitPriceMicros),
  priced_per: line.pricedPer,
  amount_micros: numberOf(line.amountMicros),
  adjustment: null,
});

const adjustmentLine = ({ id, atMs, amountMicros, reason }: Adjustment): InvoiceLine => ({
  key: 'adjustment',
  plan: null,
  quantity: '1',
  unit: 'adjustment',
  included: '0',
  billable: '1',
  unit_price_micros: numberOf(amountMicros),
  priced_per: 'adjustment',
  amount_micros: numberOf(amountMicros),
  adjustment: { id, reason, created_at: isoOf(atMs) },
});

const segmentOf = ({ plan, fromMs, toMs, used }: Segment): InvoiceSegment => ({
  plan,
  from: isoOf(fromMs),
  to: isoOf(toMs),
  operations: String(used.operations),
  data_transfer_bytes: String(used.transferBytes),
  compute_time_us: String(used.computeUs),
  memory_byte_ms: String(used.memoryByteMs),
  storage_byte_ms: String(used.storageByteMs),
});

const readSegment = (segment: InvoiceSegment): Segment => ({
  plan: segment.plan,
  fromMs: Date.parse(segment.from),
  toMs: Date.parse(segment.to),
  used: {
    operations: BigInt(segment.operations),
    transferBytes: BigInt(segment.data_transfer_bytes),
    computeUs: BigInt(segment.compute_time_us),
    memoryByteMs: BigInt(segment.memory_byte_ms),
    storageByteMs: BigInt(segment.storage_byte_ms),
  },
});
