/** The usage endpoint: what it takes and gives. */
import * as z from 'zod';
import { admin, defineContract } from '../http/contract.ts';
import { Count, Instant, TenantIdField } from '../http/fields.ts';
import { STEPS } from './series.ts';
import { SessionStock } from './session-stock.ts';

const Four = <T extends z.ZodType>(type: T) =>
  z.object({
    memory_bytes: type,
    storage_bytes: type,
    operations_per_minute: type,
    data_transfer_bytes: type,
  });

const ByteTime = z.string().regex(/^\d+$/).describe('Bytes held, times the milliseconds they were.');

/** What was used, as one record. */
export const UsageRecord = z.object({
  operation_count: Count,
  data_bytes: Count.describe('In and out.'),
  compute_time_ms: z.number().nonnegative(),
  storage_bytes: Count.describe('Held in cold storage at the end.'),
  timestamp: Instant,
});
export type UsageRecord = z.output<typeof UsageRecord>;

export const UsageBucket = UsageRecord.extend({
  hits: Count,
  misses: Count,
  bytes_in: Count,
  bytes_out: Count,
  memory_bytes: Count.describe('Held in Redis at the end.'),
  ...SessionStock.shape,
  memory_byte_ms: ByteTime,
  storage_byte_ms: ByteTime,
});
export type UsageBucket = z.output<typeof UsageBucket>;

export const TenantUsageResponse = z.object({
  tenant_id: TenantIdField,
  at: Instant,
  ...Four(Count).shape,
  ...SessionStock.shape,
  limits: Four(Count),
  percent: Four(z.number().nonnegative().nullable()).describe('Of the limit; null where the limit is 0.'),
  reserved: z
    .object({ memory_bytes: Count, storage_bytes: Count, data_transfer_bytes: Count })
    .describe('Held by open reservations: what is left of a limit is the limit less what is used and reserved.'),
  resets_at: Four(Instant.nullable()).describe('null: it falls when something is removed.'),
  total: UsageRecord.describe('Since the tenant was created.'),
  series: z
    .object({
      step: z.enum(STEPS),
      from: Instant,
      to: Instant,
      items: z
        .array(UsageBucket)
        .describe('Oldest first; `timestamp` is the start. What is no longer known is left out.'),
    })
    .nullable()
    .describe('null when neither `from`, `to` nor `step` was given.'),
});
export type TenantUsageResponse = z.output<typeof TenantUsageResponse>;

export const UsageQuery = z.strictObject({
  from: Instant.optional().describe('Default: 60 minutes, 24 hours or 30 days before `to`.'),
  to: Instant.optional().describe('Default: now.'),
  step: z
    .enum(STEPS)
    .optional()
    .describe('Kept: 120 minutes, 168 hours, 400 days. Default: the finest that reaches back to `from`.'),
});
export type UsageQuery = z.output<typeof UsageQuery>;

export const getTenantUsageContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}/usage',
  name: 'getTenantUsage',
  summary: 'What a tenant uses now, of which limits, and by minute, hour or day',
  guard: admin,
  params: z.object({ id: TenantIdField }),
  query: UsageQuery,
  replies: { 200: { description: 'Usage', schema: TenantUsageResponse } },
  problems: ['tenant_not_found', 'tenant_erased'],
});
