/** What billing has stored stays readable, and is written today as it was. */
import { describe, expect, it } from 'vitest';
import { takenUp, unpackAdjustment } from '../../lib/billing/adjustments.ts';
import { Invoice } from '../../lib/billing/contract.ts';
import { DEFAULT_TARIFFS } from '../../lib/billing/default-tariffs.ts';
import { simulate } from '../../lib/billing/invoice.ts';
import { invoicePeriod, packInvoice, unpackInvoice } from '../../lib/billing/invoice-format.ts';
import { markField, packMark, unpackMark } from '../../lib/billing/segments.ts';
import { type Period, parsePeriod } from '../../lib/gate/period.ts';
import { golden, goldenKeys } from '../support/stored-formats.ts';

const fields = Object.entries(golden.hashes[goldenKeys.billing(golden.tenant.id)] ?? {});
const of = (prefix: string) => fields.filter(([name]) => name.startsWith(prefix));

describe('stored billing [T7]', () => {
  it('there is a sample of every kind', () => {
    expect(fields.map(([name]) => name.replace(/:.*/, '')).sort()).toEqual(['adj', 'adj', 'inv', 's']);
  });

  it.each(of('inv:'))('invoice %s', (name, text) => {
    const invoice = unpackInvoice(text);
    expect(Invoice.parse(invoice)).toEqual(invoice);
    expect(invoicePeriod(name)).toBe(invoice.period);
    expect(packInvoice(invoice)).toBe(text);
    expect(invoice.lines.reduce((sum, line) => sum + line.amount_micros, 0)).toBe(invoice.total_micros);
    expect(invoice.segments.map(({ plan }) => plan)).toEqual(['free', 'starter']);
    const period = parsePeriod(invoice.period) as Period;
    const prices = { tariffs: DEFAULT_TARIFFS, currency: 'USD' };
    expect(simulate(invoice, 'free', { period, prices }).total_micros).toBe(-2_500_000);
  });

  it.each(of('adj:'))('adjustment %s', (name, text) => {
    const adjustment = unpackAdjustment(name, text);
    expect(takenUp(adjustment, adjustment.period ?? '-')).toEqual([name, text]);
  });

  it.each(of('s:'))('mark of a plan change %s', (name, text) => {
    const { atMs, plan, counters } = unpackMark(name, text);
    expect(markField(atMs)).toBe(name);
    expect(packMark(plan, text.slice(text.indexOf('\n') + 1))).toBe(text);
    expect(counters.operations).toBe(12_000_001);
  });
});
