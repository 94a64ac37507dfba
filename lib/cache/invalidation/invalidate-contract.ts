/** Invalidation: what it takes and gives, of a tenant's own cache and for administration. */
import * as z from 'zod';
import { admin, defineContract, tenant } from '../../http/contract.ts';
import { Count, DryRun, TenantIdField } from '../../http/fields.ts';
import { JobAcceptedResponse } from '../../jobs/contract.ts';
import { MAX_KEY_BYTES } from '../../keys.ts';
import { isKey, MAX_TAG_CHARACTERS, MAX_TAGS, NAMESPACE, TAG } from '../entry-rules.ts';
import { MAX_GLOB_CHARACTERS } from './glob.ts';
import type { Selector } from './selector.ts';

/** Keys one call may name. */
export const MAX_INVALIDATED_KEYS = 10_000;

const KeyText = z.string().refine(isKey, `must be 1 to ${MAX_KEY_BYTES} bytes of well-formed text`);
const TagText = z.string().max(MAX_TAG_CHARACTERS).regex(TAG, 'must be printable ASCII without spaces and commas');

const selectors = {
  namespace: z
    .string()
    .regex(NAMESPACE, 'must be 1 to 64 of A-Z a-z 0-9 . _ -')
    .optional()
    .describe('Alone: all of it. Else where the keys are.'),
  keys: z.array(KeyText).min(1).max(MAX_INVALIDATED_KEYS).optional(),
  prefix: KeyText.optional().describe('Of keys.'),
  glob: z
    .string()
    .min(1)
    .max(MAX_GLOB_CHARACTERS)
    .optional()
    .describe('Over keys: `*`, `?`, `[a-z]`, `[!a-z]`, and `\\` before a character that stands for itself.'),
  tags: z.array(TagText).min(1).max(MAX_TAGS).optional().describe('Entries with any of them, in every namespace.'),
  all: z.literal(true).optional().describe('Every entry of the tenant.'),
};

const ONE_SELECTOR = 'must have exactly one of keys, prefix or glob with a namespace; tags; all; or a namespace alone';

const InvalidateFields = z.strictObject(selectors);
type InvalidateFields = z.output<typeof InvalidateFields>;

/** What the fields select; null: nothing, or more than one thing. */
export function selectorOf({ namespace, keys, prefix, glob, tags, all }: InvalidateFields): Selector | null {
  if ([keys, prefix, glob, tags, all].filter((part) => part !== undefined).length > 1) return null;
  if (namespace === undefined) {
    if (tags !== undefined) return { by: 'tags', tags: [...new Set(tags)] };
    return all === true ? { by: 'all' } : null;
  }
  if (tags !== undefined || all !== undefined) return null;
  if (keys !== undefined) return { by: 'keys', namespace, keys: [...new Set(keys)] };
  if (prefix !== undefined) return { by: 'prefix', namespace, prefix };
  if (glob !== undefined) return { by: 'glob', namespace, glob };
  return { by: 'namespace', namespace };
}

const selectsOnce = (fields: InvalidateFields) => selectorOf(fields) !== null;

export const InvalidateOwnCacheRequest = InvalidateFields.refine(selectsOnce, ONE_SELECTOR);
export type InvalidateOwnCacheRequest = z.output<typeof InvalidateOwnCacheRequest>;

export const InvalidateCacheRequest = z
  .strictObject({ ...selectors, tenant_id: TenantIdField })
  .refine(selectsOnce, ONE_SELECTOR);
export type InvalidateCacheRequest = z.output<typeof InvalidateCacheRequest>;

const WHAT_COUNTS = 'stale ones that `stale=allow` finds, and known absences, are among them.';
const Invalidated = Count.describe(`Entries that were there before; ${WHAT_COUNTS}`);
const WouldInvalidate = Count.describe(`Entries that are there now; ${WHAT_COUNTS}`);

export const InvalidateCacheResponse = z.object({
  invalidated: Invalidated.nullable().optional().describe('null: of several tags, an entry may have more than one.'),
  would_invalidate: WouldInvalidate.nullable().optional().describe('Of a dry run; null as `invalidated`.'),
  exact: z
    .boolean()
    .describe(
      'false: entries that had expired, or were invalidated before, may be counted; or some are not, since a reply was lost.',
    ),
  items: z
    .array(z.object({ tag: z.string(), invalidated: Count.optional(), would_invalidate: Count.optional() }))
    .optional()
    .describe('Of tags: a count of each.'),
});
export type InvalidateCacheResponse = z.output<typeof InvalidateCacheResponse>;

const shared = {
  method: 'POST',
  idempotencyKey: 'on_request',
  query: z.strictObject({ dry_run: DryRun }),
  replies: {
    200: { description: 'They are gone; or a dry run: how many would be', schema: InvalidateCacheResponse },
    202: {
      description: 'There is much to go through: it goes on as a job, whose result has the counts',
      schema: JobAcceptedResponse,
      headers: { location: 'Where the job is followed.' },
    },
  },
} as const;
// Only what is begun as a job needs memory of Redis: `store_full`.
const problems = ['job_limit_reached', 'reclaim_behind', 'store_full'] as const;

export const invalidateOwnCacheContract = defineContract({
  ...shared,
  path: '/invalidate',
  name: 'invalidateOwnCache',
  summary: 'Invalidate entries by keys, prefix, glob, tags, namespace, or all; from then on no read sees them',
  guard: tenant('cache:write'),
  body: InvalidateOwnCacheRequest,
  problems,
});

export const invalidateCacheContract = defineContract({
  ...shared,
  path: '/admin/cache/invalidate',
  name: 'invalidateCache',
  summary: "Invalidate entries of a tenant's cache by keys, prefix, glob, tags, namespace, or all",
  guard: admin,
  body: InvalidateCacheRequest,
  problems: [...problems, 'tenant_not_found', 'tenant_erased'],
});
