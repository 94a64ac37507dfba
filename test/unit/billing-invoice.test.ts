/** The invoice of a month, from a tenant's state: which counters, which plans, which corrections. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Adjustment, takenUp, unpackAdjustment } from '../../lib/billing/adjustments.ts';
import { MAX_BILLING_FIELDS } from '../../lib/billing/billing.ts';
import type { BillingState } from '../../lib/billing/billing-state.ts';
import { CreateAdjustmentRequest, Invoice } from '../../lib/billing/contract.ts';
import { invoiceCsv } from '../../lib/billing/csv.ts';
import { DEFAULT_TARIFFS } from '../../lib/billing/default-tariffs.ts';
import { closingOf, invoiceOf, nextDue } from '../../lib/billing/due.ts';
import { makeInvoice, simulate } from '../../lib/billing/invoice.ts';
import { packInvoice, unpackInvoice } from '../../lib/billing/invoice-format.ts';
import { markField, packMark, unpackMark } from '../../lib/billing/segments.ts';
import { type Period, parsePeriod } from '../../lib/gate/period.ts';
import { newTenantId } from '../../lib/ids.ts';
import { readHistory } from '../../lib/usage/totals.ts';
import { countersText, MINUTE_MS } from '../support/counters-text.ts';

const PRICES = { tariffs: DEFAULT_TARIFFS, currency: 'USD' };
const month = (name: string) => parsePeriod(name) as Period;
const [OCTOBER, NOVEMBER] = [month('2026-10'), month('2026-11')];
const minuteOf = (at: string) => Date.parse(at) / MINUTE_MS;
const counters = (at: string, operations: number, memoryBytes = 0) =>
  countersText({
    minute: minuteOf(at),
    operations,
    memoryBytes,
    stockAtMs: Date.parse(at),
    periodEndMs: month(at.slice(0, 7)).endMs,
  });

function state(changes: Partial<BillingState> = {}): BillingState {
  return {
    tenantId: newTenantId('01k9zzzzzzzzzzzzzzzzzzzzz0'),
    nowMs: Date.parse('2026-11-21T12:00:00Z'),
    tenant: { plan: 'starter', createdAtMs: Date.parse('2026-09-15T00:00:00Z'), record: '' },
    erased: false,
    history: readHistory([]),
    marks: [],
    adjustments: [],
    closed: [],
    invoice: null,
    last: null,
    ...changes,
  };
}
const closed = { prices: PRICES, end: 'closed' } as const;
const open = { prices: PRICES, end: 'open' } as const;
const used = (invoice: Invoice) => invoice.segments.map(({ plan, operations }) => `${plan} ${operations}`);

const adjustment = (n: number, at: string, changes: Partial<Adjustment> = {}): Adjustment => ({
  id: `adj-01k9zzzzzzzzzzzzzzzzzzzz${String(n).padStart(2, '0')}`,
  atMs: Date.parse(at),
  amountMicros: -1_000_000n,
  period: null,
  reason: 'Credit',
  ...changes,
});

describe('what was used in a month [T7]', () => {
  const history = readHistory([
    counters('2026-09-20T10:00:00Z', 100),
    counters('2026-10-31T23:59:00Z', 250, 1_000),
    counters('2026-11-02T00:00:00Z', 300, 4_000),
  ]);

  it('is the difference of the counters at its ends', () => {
    expect(used(makeInvoice(state({ history }), month('2026-09'), closed))).toEqual(['starter 100']);
    expect(used(makeInvoice(state({ history }), OCTOBER, closed))).toEqual(['starter 150']);
    expect(used(makeInvoice(state({ history }), NOVEMBER, open))).toEqual(['starter 50']);
  });

  it('goes on in a month in which nothing was done', () => {
    const idle = state({ history: readHistory([counters('2026-09-20T10:00:00Z', 100, 500)]) });
    const invoice = makeInvoice(idle, OCTOBER, closed);
    expect(invoice.segments[0]).toMatchObject({
      operations: '0',
      memory_byte_ms: String(500 * (OCTOBER.endMs - OCTOBER.startMs)),
    });
  });

  it('sums up byte-time to the millisecond, across months', () => {
    const byteMs = (invoice: Invoice) => BigInt(invoice.segments[0]?.memory_byte_ms ?? 0);
    expect(byteMs(makeInvoice(state({ history }), OCTOBER, closed))).toBe(60_000n * 1_000n);
  });

  it('is billed once where the clock was set back over the end of a month', () => {
    // November had begun, as its end in the counters says; then calls came in the last minute of October again.
    const lastOfOctober = { minute: minuteOf('2026-10-31T23:59:00Z'), stockAtMs: OCTOBER.endMs };
    const point = countersText({ ...lastOfOctober, operations: 100, periodEndMs: OCTOBER.endMs });
    const setBack = countersText({ ...lastOfOctober, operations: 102, periodEndMs: NOVEMBER.endMs });
    const whenClosed = makeInvoice(state({ history: readHistory([setBack, point]) }), OCTOBER, closed);
    const after = readHistory([counters('2026-11-05T00:00:00Z', 110), point]);
    expect([...used(whenClosed), ...used(makeInvoice(state({ history: after }), NOVEMBER, open))]).toEqual([
      'starter 100',
      'starter 10',
    ]);
  });

  it('begins when the tenant was made, and so does the fee', () => {
    const invoice = makeInvoice(state({ history }), month('2026-09'), closed);
    expect(invoice).toMatchObject({ from: '2026-09-15T00:00:00.000Z', to: '2026-10-01T00:00:00.000Z' });
    expect(invoice.lines[0]).toMatchObject({ key: 'base_fee', amount_micros: 4_800_000 });
  });

  it('ends now while the month is open', () => {
    const invoice = makeInvoice(state({ history }), NOVEMBER, open);
    expect(invoice).toMatchObject({ status: 'open', to: '2026-11-21T12:00:00.000Z', closed_at: null });
    expect(BigInt(invoice.segments[0]?.memory_byte_ms ?? 0)).toBeGreaterThan(4_000n * 19n * 86_400_000n);
  });
});

describe('a plan that changes within a month [T7]', () => {
  const mark = (at: string, plan: 'free' | 'starter', operations: number) =>
    unpackMark(markField(Date.parse(at)), packMark(plan, counters(at, operations)));
  const history = readHistory([counters('2026-09-30T10:00:00Z', 100), counters('2026-10-30T10:00:00Z', 400)]);

  it('cuts it into segments, each with its plan and what was used in it', () => {
    const marks = [mark('2026-10-20T00:00:00Z', 'starter', 350), mark('2026-10-10T00:00:00Z', 'free', 150)];
    const invoice = makeInvoice(state({ history, marks, tenant: { ...tenantOf('enterprise') } }), OCTOBER, closed);
    expect(used(invoice)).toEqual(['free 50', 'starter 200', 'enterprise 50']);
    expect(invoice.segments.map(({ to }) => to.slice(0, 10))).toEqual(['2026-10-10', '2026-10-20', '2026-11-01']);
  });

  it('is billed by the plan had then, also when the change came after', () => {
    const marks = [mark('2026-11-05T00:00:00Z', 'free', 400)];
    const invoice = makeInvoice(state({ history, marks, tenant: tenantOf('enterprise') }), OCTOBER, closed);
    expect(used(invoice)).toEqual(['free 300']);
  });

  it('bills no more than was used where something was given back after the change', () => {
    // 1,000 operations were reserved when the plan changed, and 997 of them given back in the same minute.
    const atMs = Date.parse('2026-10-10T00:00:30Z');
    const mark = unpackMark(markField(atMs), packMark('free', counters('2026-10-10T00:00:00Z', 1_000)));
    const history = readHistory([counters('2026-10-10T00:00:00Z', 4)]);
    expect(used(makeInvoice(state({ history, marks: [mark] }), OCTOBER, closed))).toEqual(['free 4', 'starter 0']);
  });

  it('bills all once where the clock was set back between two changes', () => {
    const mark = (at: string, plan: 'free' | 'enterprise', operations: number) =>
      unpackMark(markField(Date.parse(at)), packMark(plan, counters('2026-10-10T00:00:00Z', operations)));
    const marks = [mark('2026-10-10T00:00:50Z', 'free', 10), mark('2026-10-10T00:00:40Z', 'enterprise', 20)];
    const history = readHistory([counters('2026-10-12T00:00:00Z', 100)]);
    expect(used(makeInvoice(state({ history, marks }), OCTOBER, closed))).toEqual([
      'enterprise 10',
      'free 0',
      'starter 90',
    ]);
  });

  it('bills all once where the clock was set back over the end of a month after a change', () => {
    // Changed when October had begun; then one call more came in September.
    const atMs = OCTOBER.startMs + 481;
    const mark = unpackMark(markField(atMs), packMark('free', counters('2026-09-16T00:00:00Z', 3)));
    const history = readHistory([counters('2026-09-30T23:59:00Z', 4), counters('2026-10-12T00:00:00Z', 10)]);
    expect(used(makeInvoice(state({ history, marks: [mark] }), OCTOBER, closed))).toEqual(['free 0', 'starter 6']);
  });

  it('is one sum where it comes back to the plan it had', () => {
    const marks = [mark('2026-10-10T00:00:00Z', 'starter', 150), mark('2026-10-20T00:00:00Z', 'free', 350)];
    const invoice = makeInvoice(state({ history, marks }), OCTOBER, closed);
    const operations = invoice.lines.filter(({ key }) => key === 'operations');
    expect(operations.map(({ plan, quantity }) => [plan, quantity])).toEqual([
      ['starter', '100'],
      ['free', '200'],
    ]);
  });

  it.each(['s:1', 'x', 's:', 's:1.5'])('%s without a plan and counters is no mark', (field) => {
    expect(() => unpackMark(field, 'gold\nm2')).toThrow(RangeError);
  });
});

describe('corrections [T7]', () => {
  const adjustments = [
    adjustment(1, '2026-10-05T00:00:00Z'),
    adjustment(2, '2026-10-31T23:59:59.999Z', { amountMicros: 250n, reason: '=SUM(A1), "so"' }),
    adjustment(3, '2026-11-01T00:00:00Z'),
    adjustment(4, '2026-08-01T00:00:00Z', { period: '2026-08' }),
  ];

  it('made before the end of a month are on it, with those no invoice took up', () => {
    const named = (invoice: Invoice) => invoice.lines.flatMap((line) => line.adjustment?.id.slice(-1) ?? []);
    expect(named(makeInvoice(state({ adjustments }), OCTOBER, closed))).toEqual(['1', '2']);
    expect(named(makeInvoice(state({ adjustments: adjustments.slice(2) }), NOVEMBER, open))).toEqual(['3']);
  });

  it('count in the total', () => {
    const { total_micros, total } = makeInvoice(state({ adjustments }), OCTOBER, closed);
    expect([total_micros, total]).toEqual([8_000_250, '8.000250']);
  });

  it('are named as taken up when the month is closed, and forgotten a month later', () => {
    const { changes, field, endMs } = closingOf(state({ adjustments }), OCTOBER, closed);
    expect([field, endMs]).toEqual(['inv:2026-10', OCTOBER.endMs]);
    expect(changes).toEqual([
      ...takenUp(adjustments[0] as Adjustment, '2026-10'),
      ...takenUp(adjustments[1] as Adjustment, '2026-10'),
      'adj:01k9zzzzzzzzzzzzzzzzzzzz04',
      '',
    ]);
  });

  it('can be told exactly in sum, however many there are: else no month with them could be closed', () => {
    const request = (amount_micros: number) =>
      CreateAdjustmentRequest.safeParse({ amount_micros, reason: 'r' }).success;
    const digits = [...Array(16).keys()].findLast((n) => request(10 ** n)) ?? 0;
    const most = 10 ** digits;
    expect(most).toBeGreaterThanOrEqual(1e12);
    expect(most * MAX_BILLING_FIELDS).toBeLessThan(Number.MAX_SAFE_INTEGER);
  });

  it('come back as they were written, whatever the reason', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.bigInt(-(10n ** 15n), 10n ** 15n), (reason, amountMicros) => {
        const given = adjustment(7, '2026-10-05T00:00:00Z', { reason, amountMicros, period: '2026-10' });
        expect(unpackAdjustment(...takenUp(given, '2026-10'))).toEqual(given);
      }),
    );
  });

  it('are read with line breaks of any alphabet in their reason: none may close the door to a bill', () => {
    const reason = 'a\u2028b\u2029c\rd\ne\u0085f';
    const given = adjustment(7, '2026-10-05T00:00:00Z', { reason, period: '2026-10' });
    expect(unpackAdjustment(...takenUp(given, '2026-10'))).toEqual(given);
  });

  it('cannot be formulas in a spreadsheet', () => {
    const csv = invoiceCsv(makeInvoice(state({ adjustments }), OCTOBER, closed));
    expect(csv.split('\r\n')[0]).toMatch(/^period,status,key,plan,quantity/);
    expect(csv).toContain(`,"'=SUM(A1), ""so"""\r\n`);
    expect(csv).toContain('-1000000,USD,adj-');
    expect(csv.split('\r\n').slice(-2)).toEqual(['2026-10,closed,total,,,,,,,,8000250,USD,,', '']);
  });
});

describe('what is to be closed [T7]', () => {
  it.each([
    ['the month it was made in, first', {}, '2026-09'],
    ['the month after the last closed one', { closed: ['2026-09'] }, '2026-10'],
    ['nothing while the month lasts', { closed: ['2026-09', '2026-10'] }, undefined],
    ['nothing of a tenant that is gone', { tenant: null }, undefined],
    ['nothing at the last millisecond', { closed: ['2026-09'], nowMs: OCTOBER.endMs - 1 }, undefined],
    ['nothing after the final invoice', { closed: ['2026-09'], last: { period: '2026-09', final: true } }, undefined],
    ['the month at its end', { closed: ['2026-09'], nowMs: OCTOBER.endMs }, '2026-10'],
  ] as const)('is %s', (_what, changes, name) => {
    expect(nextDue(state(changes as Partial<BillingState>))?.name).toBe(name);
  });

  it('is an invoice that its own schema takes, and that comes back whole', () => {
    const invoice = makeInvoice(state({ adjustments: [adjustment(1, '2026-10-05T00:00:00Z')] }), OCTOBER, closed);
    expect(Invoice.parse(invoice)).toEqual(invoice);
    expect(unpackInvoice(packInvoice(invoice))).toEqual(invoice);
    expect(() => unpackInvoice(JSON.stringify(invoice))).toThrow(RangeError);
  });

  it('is no month the tenant was not there in', () => {
    expect(invoiceOf(state(), month('2026-08'), PRICES)).toBeNull();
    expect(invoiceOf(state(), month('2026-12'), PRICES)).toBeNull();
    expect(invoiceOf(state({ tenant: null }), OCTOBER, PRICES)).toBeNull();
  });
});

describe('another plan [T7]', () => {
  it('prices the same usage, and changes nothing else', () => {
    const history = readHistory([counters('2026-10-30T10:00:00Z', 12_500_000)]);
    const invoice = makeInvoice(
      state({ history, adjustments: [adjustment(1, '2026-10-05T00:00:00Z')] }),
      OCTOBER,
      closed,
    );
    const other = simulate(invoice, 'free', { period: OCTOBER, prices: PRICES });
    expect([invoice.total_micros, other.total_micros]).toEqual([9_000_000, -1_000_000]);
    expect(simulate(other, 'starter', { period: OCTOBER, prices: PRICES })).toEqual(invoice);
    expect(used(other)).toEqual(['free 12500000']);
  });
});

function tenantOf(plan: 'enterprise') {
  return { plan, createdAtMs: Date.parse('2026-09-15T00:00:00Z'), record: '' } as const;
}
