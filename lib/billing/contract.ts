/** The billing endpoints: what they take and give. Amounts are whole micro-units; quantities, which may pass 2^53, texts. */
import * as z from 'zod';
import { PERIOD_NAME } from '../gate/period.ts';
import { admin, defineContract } from '../http/contract.ts';
import { Instant, TenantIdField, text } from '../http/fields.ts';
import { PLANS } from './tariff.ts';

const PeriodName = z.string().regex(PERIOD_NAME, 'must be a month, as 2026-11');
const Quantity = z.string().regex(/^\d+$/).describe('A whole number of any size.');
const Micros = z.int().describe('Millionths of the currency.');

export const InvoiceLine = z.object({
  key: z.enum(['base_fee', 'operations', 'data_transfer', 'compute_time', 'hot_storage', 'cold_storage', 'adjustment']),
  plan: z.enum(PLANS).nullable().describe('null for an adjustment.'),
  quantity: Quantity,
  unit: z.string(),
  included: Quantity,
  billable: Quantity.describe('`quantity` beyond what is included.'),
  unit_price_micros: Micros,
  priced_per: z.string().describe('What `unit_price_micros` is the price of, as `GiB`.'),
  amount_micros: Micros,
  adjustment: z
    .object({ id: z.string(), reason: z.string(), created_at: Instant })
    .nullable()
    .describe('null but for an adjustment.'),
});
export type InvoiceLine = z.output<typeof InvoiceLine>;

export const InvoiceSegment = z.object({
  plan: z.enum(PLANS),
  from: Instant,
  to: Instant,
  operations: Quantity,
  data_transfer_bytes: Quantity,
  compute_time_us: Quantity,
  memory_byte_ms: Quantity,
  storage_byte_ms: Quantity,
});
export type InvoiceSegment = z.output<typeof InvoiceSegment>;

/** As it is stored once it is closed, and never changed again. */
export const Invoice = z.object({
  tenant_id: TenantIdField,
  period: PeriodName,
  status: z.enum(['open', 'closed']).describe('`open`: so far, still growing.'),
  final: z.boolean().describe('The last one: the tenant was erased at `to`.'),
  from: Instant,
  to: Instant,
  currency: z.string(),
  tariff_version: z.string(),
  segments: z.array(InvoiceSegment).describe('What was used under which plan.'),
  lines: z.array(InvoiceLine).describe('Their amounts add up to `total_micros`.'),
  total_micros: Micros,
  total: z.string().describe('The same in units of the currency, as `12.345678`.'),
  closed_at: Instant.nullable(),
});
export type Invoice = z.output<typeof Invoice>;

export const TenantBillingResponse = Invoice.extend({
  simulated_plan: z.enum(PLANS).nullable().describe('Priced as if this had been the plan; nothing was changed.'),
  closed_periods: z.array(PeriodName).describe('Months that have a closed invoice, oldest first.'),
});
export type TenantBillingResponse = z.output<typeof TenantBillingResponse>;

export const BillingQuery = z.strictObject({
  period: PeriodName.optional().describe('Default: the current month.'),
  simulate_plan: z.enum(PLANS).optional().describe('Prices the month as if this had been the plan.'),
  format: z
    .enum(['json', 'csv'])
    .default('json')
    .describe('`csv`: the lines as a table, for a spreadsheet; the `status` of a simulation is `simulated`.'),
});
export type BillingQuery = z.output<typeof BillingQuery>;

/** A million units: as many corrections as a tenant may have add up to what JSON carries exactly. */
const MAX_ADJUSTMENT_MICROS = 1_000_000_000_000;

export const CreateAdjustmentRequest = z.strictObject({
  amount_micros: z
    .int()
    .min(-MAX_ADJUSTMENT_MICROS)
    .max(MAX_ADJUSTMENT_MICROS)
    .refine((amount) => amount !== 0, 'must not be 0')
    .describe('Millionths of the currency; below 0 it is a credit.'),
  reason: text(500).describe('Stands on the invoice.'),
});
export type CreateAdjustmentRequest = z.output<typeof CreateAdjustmentRequest>;

export const AdjustmentResponse = z.object({
  id: z.string(),
  tenant_id: TenantIdField,
  amount_micros: Micros,
  reason: z.string(),
  created_at: Instant,
  period: PeriodName.nullable().describe('The month whose closed invoice holds it; null: still open.'),
});
export type AdjustmentResponse = z.output<typeof AdjustmentResponse>;

const Params = z.object({ id: TenantIdField });

export const getTenantBillingContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}/billing',
  name: 'getTenantBilling',
  summary: "A month's invoice of a tenant: closed, or so far; or what it would be under another plan",
  guard: admin,
  params: Params,
  query: BillingQuery,
  replies: { 200: { description: 'The invoice', schema: TenantBillingResponse } },
  problems: ['tenant_not_found', 'tenant_erased', 'invoice_not_found', 'billing_disabled'],
});

export const createAdjustmentContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/billing/adjustments',
  name: 'createAdjustment',
  summary: "Correct a tenant's bill: a credit or a charge on its next invoice; closed ones never change",
  guard: admin,
  params: Params,
  body: CreateAdjustmentRequest,
  replies: { 201: { description: 'The adjustment', schema: AdjustmentResponse } },
  problems: ['tenant_not_found', 'tenant_erased', 'adjustment_limit_reached', 'billing_disabled'],
});
