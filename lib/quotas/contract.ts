/** The quota endpoints: what they take and give. */
import * as z from 'zod';
import { defineContract, tenant } from '../http/contract.ts';
import { Count, Instant } from '../http/fields.ts';
import { HOLD_ID } from '../ids.ts';
import { DEFAULT_TTL_SECONDS, MAX_AMOUNT, MAX_TTL_SECONDS, MIN_TTL_SECONDS } from './limits.ts';
import { RESOURCES } from './quota-state.ts';

const ResourceName = z.enum(RESOURCES);
const Amount = z.int().min(1).max(MAX_AMOUNT).describe('Bytes, or operations.');

const QUOTA_FIELDS = {
  used: Count,
  held: Count.describe('Reserved, and neither committed nor refunded yet.'),
  limit: Count,
  left: Count,
  resets_at: Instant.nullable().describe('When `used` begins at 0 again; null: never, only removing makes room.'),
  resets_in_ms: Count.nullable(),
};

export const QuotaResponse = z.object(QUOTA_FIELDS);
export type QuotaResponse = z.output<typeof QuotaResponse>;

export const GetQuotasResponse = z.object({
  check: z
    .object({ resource: ResourceName, amount: Count, allowed: z.boolean() })
    .nullable()
    .describe('Whether `amount` more would fit now; null when no resource was named.'),
  quotas: z.object({
    memory_bytes: QuotaResponse,
    storage_bytes: QuotaResponse,
    operations_per_minute: QuotaResponse,
    data_transfer_bytes: QuotaResponse,
  }),
});
export type GetQuotasResponse = z.output<typeof GetQuotasResponse>;

const QuotaQuery = z
  .strictObject({
    resource: ResourceName.optional(),
    amount: z
      .string()
      .regex(/^[1-9]\d{0,15}$/, 'must be a whole number, at least 1')
      .transform(Number)
      .pipe(Amount)
      .optional()
      .describe('Default: 1.'),
  })
  .refine(({ resource, amount }) => amount === undefined || resource !== undefined, {
    path: ['resource'],
    message: 'must name the quota the amount is of',
  });

export const getQuotasContract = defineContract({
  method: 'GET',
  path: '/quotas',
  name: 'getQuotas',
  summary: 'What is used, held and left of every quota, and whether more would fit',
  guard: tenant('quotas:read'),
  query: QuotaQuery,
  replies: { 200: { description: 'The quotas; this call is counted in them', schema: GetQuotasResponse } },
  problems: [],
});

export const ReserveQuotaRequest = z.strictObject({
  resource: ResourceName,
  amount: Amount,
  ttl_seconds: z
    .int()
    .min(MIN_TTL_SECONDS)
    .max(MAX_TTL_SECONDS)
    .default(DEFAULT_TTL_SECONDS)
    .describe('After so long without commit or refund it is given back by itself.'),
});

export const ReserveQuotaResponse = z.object({
  id: z.string().regex(HOLD_ID),
  resource: ResourceName,
  amount: Count,
  expires_at: Instant,
  ...QUOTA_FIELDS,
});
export type ReserveQuotaResponse = z.output<typeof ReserveQuotaResponse>;

export const reserveQuotaContract = defineContract({
  method: 'POST',
  path: '/quotas/reservations',
  name: 'reserveQuota',
  summary: 'Hold part of a quota before work of unknown size',
  guard: tenant('quotas:write'),
  body: ReserveQuotaRequest,
  replies: { 201: { description: 'It is held', schema: ReserveQuotaResponse } },
  problems: ['memory_full', 'storage_full', 'reservation_limit_reached'],
});

const ReservationParams = z.object({ id: z.string().regex(HOLD_ID, 'must be a reservation id, as hold-01h…') });

export const SettledResponse = z.object({
  id: z.string(),
  resource: ResourceName,
  reserved: Count,
  committed: Count,
  ...QUOTA_FIELDS,
});
export type SettledResponse = z.output<typeof SettledResponse>;

export const CommitReservationRequest = z.strictObject({
  amount: z.int().min(0).max(MAX_AMOUNT).describe('What was used: at most what was reserved. The rest is given back.'),
});

export const commitReservationContract = defineContract({
  method: 'POST',
  path: '/quotas/reservations/{id}/commit',
  name: 'commitReservation',
  summary: 'Count what was used of a reservation, and give back the rest',
  guard: tenant('quotas:write'),
  params: ReservationParams,
  body: CommitReservationRequest,
  replies: { 200: { description: 'It is counted', schema: SettledResponse } },
  problems: ['reservation_not_found', 'reservation_too_small'],
});

export const refundReservationContract = defineContract({
  method: 'POST',
  path: '/quotas/reservations/{id}/refund',
  name: 'refundReservation',
  summary: 'Give back a whole reservation',
  guard: tenant('quotas:write'),
  params: ReservationParams,
  replies: { 200: { description: 'It is given back', schema: SettledResponse } },
  problems: ['reservation_not_found'],
});

export const ReleaseQuotaRequest = z.strictObject({
  resource: z.enum(['memory_bytes', 'storage_bytes']),
  amount: Amount,
});

export const ReleaseQuotaResponse = z.object({ resource: ResourceName, released: Count, ...QUOTA_FIELDS });
export type ReleaseQuotaResponse = z.output<typeof ReleaseQuotaResponse>;

export const releaseQuotaContract = defineContract({
  method: 'POST',
  path: '/quotas/release',
  name: 'releaseQuota',
  summary: 'Give back bytes that were committed: what they stood for is gone',
  guard: tenant('quotas:write'),
  body: ReleaseQuotaRequest,
  replies: { 200: { description: 'They are given back', schema: ReleaseQuotaResponse } },
  problems: ['release_too_large'],
});
