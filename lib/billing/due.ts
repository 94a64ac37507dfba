/** Which month of a tenant is to be closed next, and what closing it writes: pure. */

import { nextPeriod, type Period, parsePeriod, periodOf, previousPeriod } from '../gate/period.ts';
import { takenUp } from './adjustments.ts';
import type { BillingState } from './billing-state.ts';
import type { Invoice } from './contract.ts';
import { dueAdjustments, type InvoiceEnd, makeInvoice, type Prices } from './invoice.ts';
import { invoiceField, packInvoice } from './invoice-format.ts';
import { markField } from './segments.ts';

/** The first month that has ended and is not closed; null: there is none. In their order; none after the final invoice. */
export function nextDue({ tenant, closed, last, nowMs }: BillingState): Period | null {
  if (tenant === null || last?.final) return null;
  const before = parsePeriod(closed.at(-1) ?? '');
  const due = before === null ? periodOf(tenant.createdAtMs) : nextPeriod(before);
  return due.endMs <= nowMs ? due : null;
}

/** Arguments of the script close-period. */
export interface Closing {
  readonly field: string;
  readonly invoice: string;
  readonly endMs: number;
  readonly changes: readonly string[];
}

/**
 * What closing a month writes: its invoice, its name on the adjustments it takes up; marks it has used are removed. An
 * adjustment's own field stays for another month, for the call that made it may come again.
 */
export function closingOf(
  state: BillingState,
  period: Period,
  { prices, end }: { readonly prices: Prices; readonly end: Exclude<InvoiceEnd, 'open'> },
): Closing {
  const invoice = makeInvoice(state, period, { prices, end });
  const endMs = end === 'final' ? state.nowMs : period.endMs;
  const taken = dueAdjustments(state, period, end).flatMap((adjustment) => takenUp(adjustment, period.name));
  const used = state.marks.filter(({ atMs }) => atMs <= endMs).map(({ atMs }) => markField(atMs));
  const settled = state.adjustments
    .filter((adjustment) => adjustment.period !== null && adjustment.period < previousPeriod(period).name)
    .map((adjustment) => takenUp(adjustment, '')[0]);
  return {
    field: invoiceField(period.name),
    invoice: packInvoice(invoice),
    endMs,
    changes: [...taken, ...[...used, ...settled].flatMap((field) => [field, ''])],
  };
}

/** A month's invoice as it stands now: closed, or so far; null: the tenant was not there in it, or no more, or it is yet to come. */
export function invoiceOf(state: BillingState, period: Period, prices: Prices): Invoice | null {
  if (state.invoice?.period === period.name) return state.invoice;
  const { tenant, last, nowMs } = state;
  if (last?.final && period.name > last.period) return null;
  if (tenant === null || tenant.createdAtMs >= period.endMs || period.startMs > nowMs) return null;
  return makeInvoice(state, period, { prices, end: 'open' });
}
