/** Many entries in one call: what it takes and gives. Keys may hold anything here, also what cannot travel in a path. */
import * as z from 'zod';
import { defineContract, tenant } from '../../http/contract.ts';
import { Count, Instant } from '../../http/fields.ts';
import { IfMatch } from '../../http/preconditions.ts';
import { SEALING_PROBLEMS } from '../../http/sealing-problems.ts';
import { MAX_KEY_BYTES } from '../../keys.ts';
import { Namespace } from '../contract.ts';
import { isKey, MAX_GRACE_SECONDS, MAX_TTL_SECONDS } from '../entry-rules.ts';
import { MAX_BATCH_ITEMS } from './batch-rules.ts';

const Key = z.string().refine(isKey, `must be 1 to ${MAX_KEY_BYTES} bytes of well-formed text`);
const Keys = z.array(Key).min(1).max(MAX_BATCH_ITEMS);

const SetItem = z
  .strictObject({
    key: Key,
    value: z
      .string()
      .refine((text) => text.isWellFormed(), 'must be well-formed Unicode: send bytes as value_base64')
      .optional()
      .describe('The value as text; it is stored as UTF-8.'),
    value_base64: z.base64().optional().describe('The value as bytes, in place of `value`.'),
    content_type: z
      .string()
      .optional()
      .describe('Default: text/plain; charset=utf-8, of bytes application/octet-stream.'),
    ttl_seconds: z
      .union([z.int().min(1).max(MAX_TTL_SECONDS), z.literal('never'), z.null()])
      .optional()
      .describe('Lifetime; `never` or null: it never expires. The namespace has a default.'),
    grace_seconds: z.int().min(0).max(MAX_GRACE_SECONDS).optional(),
    version: z.string().optional(),
    source: z.string().optional(),
    tags: z.array(z.string()).optional(),
    attributes: z.record(z.string().min(1).max(64), z.string().max(1_024)).optional(),
    if_match: IfMatch.optional().describe('As the header: stored only over one of these.'),
    if_none_match: z.literal('*').optional().describe('Stored only if it is new.'),
  })
  .refine(({ value, value_base64 }) => (value === undefined) !== (value_base64 === undefined), {
    path: ['value'],
    message: 'must be there, or value_base64, not both',
  });
export type SetItem = z.output<typeof SetItem>;

export const BatchEntriesRequest = z
  .strictObject({
    get: Keys.optional(),
    set: z.array(SetItem).min(1).max(MAX_BATCH_ITEMS).optional(),
    delete: Keys.optional(),
    metadata_only: z.boolean().optional().describe('Of get: what is known of the entries, without their values.'),
    stale: z.boolean().optional().describe('Of get: entries past their lifetime will do, within their grace.'),
  })
  .refine((body) => [body.get, body.set, body.delete].filter((list) => list !== undefined).length === 1, {
    message: 'must have exactly one of get, set and delete',
  })
  .refine((body) => body.get !== undefined || (body.metadata_only === undefined && body.stale === undefined), {
    message: 'may say metadata_only and stale only with get',
  });
export type BatchEntriesRequest = z.output<typeof BatchEntriesRequest>;

export const ENTRY_FIELDS = {
  etag: z.string().optional().describe('As in the ETag header, quotes included.'),
  size_bytes: Count.optional().describe('Of the value.'),
  content_type: z.string().optional(),
  version: z.string().optional(),
  source: z.string().optional(),
  tags: z.array(z.string()).optional(),
  attributes: z.record(z.string(), z.string()).optional(),
  expires_at: Instant.nullable().optional().describe('When it is gone; null: never.'),
  fresh_until: Instant.nullable().optional().describe('When it goes stale; null: it is fresh as long as it lives.'),
  updated_at: Instant.optional(),
};

const BatchItem = z.object({
  key: z.string(),
  status: z
    .string()
    .describe(
      'Of get: hit, miss, deferred (the reply was full: ask again), too_large (read it alone). Of set: created, replaced, ' +
        'precondition_failed, memory_full, storage_full, store_full, too_large, invalid. Of delete: deleted, absent. Of any: ' +
        'error, see `code`.',
    ),
  code: z.string().optional().describe('Why it failed: a code as problems have.'),
  detail: z.string().optional(),
  value: z.string().optional().describe('The value, when it is UTF-8.'),
  value_base64: z.string().optional().describe('The value, when it is not.'),
  stale: z.literal(true).optional().describe('It is past its lifetime.'),
  ...ENTRY_FIELDS,
});
export type BatchItem = z.output<typeof BatchItem>;

export const BatchEntriesResponse = z.object({ items: z.array(BatchItem).describe('In the order of the request.') });
export type BatchEntriesResponse = z.output<typeof BatchEntriesResponse>;

export const NAMESPACE_PATH = '/cache/{namespace}';
export const NamespaceParams = z.object({ namespace: Namespace });

export const batchEntriesContract = defineContract({
  method: 'POST',
  path: NAMESPACE_PATH,
  name: 'batchEntries',
  summary: 'Read, store or remove up to 1,000 entries: cache:read to get, cache:write for the rest',
  // Which scope is needed depends on the body: the gate asks for it with each trip.
  guard: tenant('none'),
  idempotencyKey: 'on_request',
  params: NamespaceParams,
  body: BatchEntriesRequest,
  replies: { 200: { description: 'What became of each', schema: BatchEntriesResponse } },
  // The last ones when they befall the first trip; later it is the items that have them.
  problems: ['scope_missing', 'access_denied', 'store_full', 'blob_store_unavailable', ...SEALING_PROBLEMS],
});
