/** Warming the cache: what it takes and gives. What is wrong with one entry is told in its item, and stops no other. */
import * as z from 'zod';
import { admin, defineContract } from '../../http/contract.ts';
import { Count, DryRun, TenantIdField } from '../../http/fields.ts';
import { SEALING_PROBLEMS } from '../../http/sealing-problems.ts';
import { JobAcceptedResponse } from '../../jobs/contract.ts';
import { TENANT_PROBLEMS } from '../../tenants/contract.ts';
import { Namespace } from '../contract.ts';
import { MAX_GRACE_SECONDS, MAX_TTL_SECONDS } from '../entry-rules.ts';

export const MAX_WARM_ENTRIES = 1_000;

const Ttl = z
  .union([z.int().min(1).max(MAX_TTL_SECONDS), z.literal('never')])
  .describe('Lifetime in seconds, or `never`. Default: as the namespace is set.');

export const WarmEntry = z.strictObject({
  namespace: z.string(),
  key: z.string().describe('Anything of 1 to 1,024 bytes, also what cannot stand in a path.'),
  value: z.string().optional().describe('Text; or `value_base64`.'),
  value_base64: z.string().optional(),
  content_type: z.string().optional().describe('Default: application/octet-stream. What says it is JSON must be.'),
  version: z.string().optional(),
  source: z.string().optional(),
  tags: z.array(z.string()).optional(),
  attributes: z.record(z.string(), z.string()).optional(),
  ttl_seconds: Ttl.optional(),
  grace_seconds: z.int().min(0).max(MAX_GRACE_SECONDS).optional(),
});
export type WarmEntry = z.output<typeof WarmEntry>;

const SOURCES = ['entries', 'cold_keys', 'cold', 'export'] as const;

export const WarmCacheRequest = z
  .strictObject({
    tenant_id: TenantIdField,
    entries: z.array(WarmEntry).min(1).max(MAX_WARM_ENTRIES).optional().describe('The entries themselves.'),
    cold_keys: z
      .strictObject({ namespace: Namespace, keys: z.array(z.string().min(1)).min(1).max(MAX_WARM_ENTRIES) })
      .optional()
      .describe('Entries whose values were moved to S3, to be brought back.'),
    cold: z
      .strictObject({ limit: z.int().min(1).max(MAX_WARM_ENTRIES) })
      .optional()
      .describe('The same, of those that were used last.'),
    export: z
      .string()
      .max(256)
      .optional()
      .describe('The manifest of an export of this tenant, as `exports/<tenant>/<job>/manifest.json`.'),
    overwrite: z.boolean().default(false).describe('Default: an entry that is there is newer, and stays.'),
    ttl_seconds: Ttl.optional().describe('Of entries that name none; of an export, instead of what is left to each.'),
  })
  .refine((body) => SOURCES.filter((source) => body[source] !== undefined).length === 1, {
    error: 'must have exactly one of entries, cold_keys, cold and export',
  });
export type WarmCacheRequest = z.output<typeof WarmCacheRequest>;

/** Which of the sources a request names. */
export const sourceOf = (request: WarmCacheRequest) =>
  SOURCES.find((source) => request[source] !== undefined) ?? 'entries';

export const WARM_STATUSES = [
  'stored',
  'skipped_exists',
  'skipped_absent',
  'expired',
  'invalid',
  'duplicate',
  'too_large',
  'memory_full',
  'storage_full',
  'not_moved',
] as const;
export type WarmStatus = (typeof WARM_STATUSES)[number];

export const WarmItem = z.object({
  status: z.enum(WARM_STATUSES),
  namespace: z.string().optional(),
  key: z.string().optional(),
  line: Count.optional().describe('Of the export, from 1.'),
  detail: z.string().optional().describe('What is wrong with it; no value.'),
});
export type WarmItem = z.output<typeof WarmItem>;

export const WarmCacheResponse = z.object({
  dry_run: z.boolean(),
  counts: z.partialRecord(z.enum(WARM_STATUSES), Count).describe('Entries by what became of them.'),
  items: z
    .array(WarmItem)
    .describe('Each entry, in their order; of an export the first 20 that could not be stored, by their lines.'),
  reports: z.array(z.string()).optional().describe('Objects in S3 that tell of more than 20: NDJSON, a line for each.'),
});
export type WarmCacheResponse = z.output<typeof WarmCacheResponse>;

export const warmCacheContract = defineContract({
  method: 'POST',
  path: '/admin/cache/warm',
  name: 'warmCache',
  summary:
    'Load entries into a tenant’s cache ahead of their first read; what is there stays, unless `overwrite` is set',
  guard: admin,
  query: z.strictObject({ dry_run: DryRun }),
  body: WarmCacheRequest,
  replies: {
    200: { description: 'What became of each', schema: WarmCacheResponse },
    202: {
      description: 'It goes on as a job, whose result will be the same',
      schema: JobAcceptedResponse,
      headers: { location: 'The job' },
    },
  },
  problems: [
    ...TENANT_PROBLEMS,
    'deletion_pending',
    'export_not_found',
    'job_limit_reached',
    'store_full',
    'blob_store_unavailable',
    ...SEALING_PROBLEMS,
  ],
});
