/** The audit log's endpoint: what it takes and gives. */
import * as z from 'zod';
import { admin, defineContract } from '../http/contract.ts';
import { Count, Instant, TenantIdField } from '../http/fields.ts';

const ACTION = /^[a-z][a-z_]*(?:\.[a-z][a-z_]*)+$/;
const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

const Limit = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
  .transform(Number)
  .pipe(z.int().max(MAX_LIMIT))
  .default(DEFAULT_LIMIT)
  .describe(`Entries on a page, 1 to ${MAX_LIMIT}; default ${DEFAULT_LIMIT}.`);

const Cursor = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be a next_cursor of this endpoint')
  .transform(Number)
  .describe('`next_cursor` of the page before, with the same order and filters.');

export const ListAuditQuery = z.strictObject({
  limit: Limit,
  cursor: Cursor.optional(),
  order: z.enum(['asc', 'desc']).default('desc').describe('`desc`: the newest first.'),
  tenant_id: TenantIdField.optional().describe('Only entries of this tenant.'),
  action: z
    .string()
    .max(64)
    .regex(ACTION, 'must be an action, as tenant.create')
    .optional()
    .describe('Only this action.'),
  format: z
    .enum(['json', 'ndjson'])
    .optional()
    .describe('`ndjson`, or `Accept: application/x-ndjson`: the lines of the log as they were hashed.'),
});
export type ListAuditQuery = z.output<typeof ListAuditQuery>;

const Hash = z.string().regex(/^[0-9a-f]{64}$/);

export const AuditEntryResponse = z.object({
  seq: Count.describe('1, 2, 3 … without a gap.'),
  id: z.string(),
  at: Instant,
  action: z.string(),
  tenant_id: z.string().nullable(),
  actor: z.string().describe('`admin:` and the first digits of the SHA-256 of its key, or `system`.'),
  request_id: z.string().nullable(),
  details: z
    .record(z.string(), z.unknown())
    .describe('Names of changed fields, old and new limits, digests: by action.'),
  prev: Hash.describe('`hash` of the entry before; zeros for the first.'),
  hash: Hash.describe('SHA-256 of `prev`, a line break, and the entry without `hash` as canonical JSON.'),
});

export const AuditResponse = z.object({
  items: z.array(AuditEntryResponse),
  next_cursor: z.string().nullable().describe('With a filter, a page may be short while more follow.'),
  head: z
    .object({ seq: Count, hash: Hash })
    .describe('Where the log ends now; noted elsewhere, it proves later that nothing was rewritten.'),
});
export type AuditResponse = z.output<typeof AuditResponse>;

/** Of an NDJSON answer, which has no place for them in its body. */
const AUDIT_HEADERS = {
  'riptide-next-cursor': 'With `ndjson`: as `next_cursor`; absent on the last page.',
  'riptide-audit-head': 'Where the log ends now: `<seq>:<hash>`.',
};

export const listAuditContract = defineContract({
  method: 'GET',
  path: '/admin/audit',
  name: 'listAudit',
  summary: 'Read the log of administrative actions, as JSON or, to keep or verify it, as NDJSON',
  guard: admin,
  query: ListAuditQuery,
  headers: z.object({ accept: z.string().optional() }),
  replies: { 200: { description: 'A page of the log', schema: AuditResponse, headers: AUDIT_HEADERS } },
  problems: ['value_corrupt', 'blob_store_unavailable', 'outcome_unknown'],
});
