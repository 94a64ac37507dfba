/** What a tenant's invoices are made of, read from the reply of the script read-billing. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { readBilling } from '../redis/bindings/billing-scripts.ts';
import { pairsOf } from '../redis/reply-shape.ts';
import { scriptCall } from '../redis/script.ts';
import { unpackRecord } from '../tenants/record-format.ts';
import { monthPoints } from '../usage/month-points.ts';
import { type History, readHistory } from '../usage/totals.ts';
import { ADJUSTMENT_PREFIX, type Adjustment, unpackAdjustment } from './adjustments.ts';
import type { Invoice } from './contract.ts';
import { invoiceField, invoicePeriod, unpackInvoice } from './invoice-format.ts';
import { MARK_PREFIX, type PlanMark, unpackMark } from './segments.ts';
import type { Plan } from './tariff.ts';

export interface BillingState {
  readonly tenantId: TenantId;
  /** Redis' time when all this was so, Unix ms. */
  readonly nowMs: number;
  /** null: there is no such tenant, or no longer. */
  readonly tenant: { readonly plan: Plan; readonly createdAtMs: number; readonly record: string } | null;
  readonly erased: boolean;
  readonly history: History;
  readonly marks: readonly PlanMark[];
  /** By their time. */
  readonly adjustments: readonly Adjustment[];
  /** Months that are closed, oldest first. */
  readonly closed: readonly string[];
  /** The closed invoice that was asked for, if it is. */
  readonly invoice: Invoice | null;
  /** The last closed invoice: after a final one there is no other. */
  readonly last: Invoice | null;
}

type Reply = ReturnType<typeof readBilling.reply>;

/**
 * Reads a tenant's state in one step.
 * @param wanted the month whose closed invoice is wanted; null: none.
 * @param now Unix ms: names the points to read, a month more than there can be.
 */
export const billingCall = (keys: Keys, id: TenantId, { wanted, now }: { wanted: string | null; now: number }) =>
  scriptCall(readBilling, {
    keys: {
      record: keys.record(id),
      gate: keys.gate(id),
      billing: keys.billing(id),
      erased: keys.erased(id),
    },
    args: { invoice: wanted === null ? '' : invoiceField(wanted), fields: ['m', ...monthPoints(id, now)] },
  });

/** @param wanted as given to {@link billingCall}. @throws {RangeError | SyntaxError} something of it is damaged. */
export function readState(
  tenantId: TenantId,
  { wanted, reply }: { readonly wanted: string | null; readonly reply: Reply },
): BillingState {
  const fields = pairsOf(reply.found);
  const invoices = fields.flatMap(([name, text]) => (invoicePeriod(name) === null ? [] : [unpackInvoice(text)]));
  const closed = reply.names.flatMap((name) => invoicePeriod(name) ?? []).sort();
  return {
    tenantId,
    nowMs: reply.nowMs,
    tenant: reply.record === null ? null : readTenant(reply.record),
    erased: reply.erased,
    history: readHistory(reply.values),
    marks: fields.filter(([name]) => name.startsWith(MARK_PREFIX)).map((field) => unpackMark(...field)),
    adjustments: fields
      .filter(([name]) => name.startsWith(ADJUSTMENT_PREFIX))
      .map((field) => unpackAdjustment(...field))
      .sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1)),
    closed,
    invoice: invoices.find(({ period }) => period === wanted) ?? null,
    last: invoices.find(({ period }) => period === closed.at(-1)) ?? null,
  };
}

function readTenant(record: string) {
  const { tenant } = unpackRecord(record);
  return { plan: tenant.plan, createdAtMs: Date.parse(tenant.created_at), record };
}
