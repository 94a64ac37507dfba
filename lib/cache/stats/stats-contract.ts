/** Statistics of the cache: what they take and give. */
import * as z from 'zod';
import { admin, defineContract } from '../../http/contract.ts';
import { Count, Instant, TenantIdField } from '../../http/fields.ts';
import { STEPS } from '../../usage/series.ts';

const Share = z.number().min(0).max(1).nullable();
const Rate = z.number().nonnegative();

/** What was done in a time. */
export const CacheRates = z.object({
  hits: Count,
  misses: Count,
  hit_rate: Share.describe('Of all reads; null: there were none.'),
  miss_rate: Share,
  avg_access_time_us: Rate.nullable().describe('Of a read, from the instance to Redis and back; null: there was none.'),
  ops_per_second: Rate.describe('Operations of every kind.'),
});
export type CacheRates = z.output<typeof CacheRates>;

export const CacheStatsResponse = z.object({
  tenant_id: TenantIdField.nullable().describe('null: all tenants together.'),
  as_of: Instant.nullable().describe('Of all tenants: when a schedule summed them up, every 5 minutes; null: not yet.'),
  tenants: Count.optional().describe('Of all: how many are summed up.'),
  total_keys: Count,
  memory_usage_bytes: Count.describe('What the tenant’s records take of its memory quota.'),
  storage_bytes: Count.describe('Values in S3.'),
  window: z.object({ from: Instant, to: Instant }).nullable().describe('The time of the rates.'),
  ...CacheRates.shape,
  avg_compression_ratio: Rate.nullable().describe(
    'Bytes of the values as given, by those they take; null: there is none.',
  ),
  raw_bytes: Count.describe('Of all values as they were given.'),
  packed_bytes: Count.describe('As they are packed, in Redis or in S3.'),
  saved_bytes: z.int().describe('The difference. Base64 and sealing may make it negative.'),
  pending_invalidations: Count.optional().describe(
    'Of a tenant: namespaces, tags and all, hidden and not yet reclaimed.',
  ),
  series: z
    .object({
      interval: z.enum(STEPS),
      from: Instant,
      to: Instant,
      items: z
        .array(CacheRates.extend({ timestamp: Instant, total_keys: Count, memory_usage_bytes: Count }))
        .describe('Oldest first. What is no longer known is left out.'),
    })
    .nullable(),
});
export type CacheStatsResponse = z.output<typeof CacheStatsResponse>;

export const getCacheStatsContract = defineContract({
  method: 'GET',
  path: '/admin/cache/stats',
  name: 'getCacheStats',
  summary: 'Statistics of a tenant’s cache, live and over time; or of all together, as of the last sum',
  guard: admin,
  query: z
    .strictObject({
      tenant_id: TenantIdField.optional(),
      interval: z.enum(STEPS).optional().describe('A series by it. Kept: 120 minutes, 168 hours, 400 days.'),
      from: Instant.optional(),
      to: Instant.optional(),
    })
    .refine(({ tenant_id, interval, from, to }) => tenant_id !== undefined || (interval ?? from ?? to) === undefined, {
      error: 'a series is of one tenant: name it by tenant_id',
    }),
  replies: { 200: { description: 'Statistics', schema: CacheStatsResponse } },
  problems: ['tenant_not_found', 'tenant_erased'],
});
