/** How a tenant's cache is to behave, as a field of the tenant: what it takes and gives. */
import * as z from 'zod';
import { MAX_TTL_SECONDS, NAMESPACE } from '../cache/entry-rules.ts';
import { Count } from '../http/fields.ts';

export const MAX_NAMESPACES = 100;
export const MAX_STALE_MS = 60_000;
/** A year. */
export const MAX_GRACE_SECONDS = 31_536_000;

const EVICTION_POLICIES = ['lru', 'none'] as const;
const COMPRESSIONS = ['lz4', 'zstd', 'none'] as const;
const Ttl = z.union(
  [z.int().min(1).max(MAX_TTL_SECONDS), z.literal('never')],
  `must be whole seconds from 1 to ${MAX_TTL_SECONDS}, or never`,
);

/** What is not named is as the deployment is set. */
export const NamespaceSettingsRequest = z.strictObject({
  compression: z
    .enum(COMPRESSIONS)
    .optional()
    .describe(
      'Of values written from now on; what is stored stays readable. Where the deployment packs none, none is.',
    ),
  max_stale_ms: z
    .int()
    .min(0)
    .max(MAX_STALE_MS)
    .optional()
    .describe(
      'How old an instance’s own copy may be that a read is answered from. Such a read is neither metered nor limited, and a write, ' +
        'a revoked key or a policy may be seen so much later. Default 0: every read asks Redis.',
    ),
  default_ttl_seconds: Ttl.optional().describe('Lifetime of an entry that names none, in seconds, or `never`.'),
  grace_seconds: z
    .int()
    .min(0)
    .max(MAX_GRACE_SECONDS)
    .optional()
    .describe('How long after its lifetime an entry can still be had as stale, by who asks for it. Default 0.'),
});

export const CacheSettingsRequest = z.strictObject({
  eviction_policy: z
    .enum(EVICTION_POLICIES)
    .optional()
    .describe('At the memory quota: `lru` makes room by the coldest entries, `none` answers 507.'),
  namespaces: z
    .record(z.string().regex(NAMESPACE, 'must be 1 to 64 of A-Z a-z 0-9 . _ -'), NamespaceSettingsRequest)
    .refine((named) => Object.keys(named).length <= MAX_NAMESPACES, `must have at most ${MAX_NAMESPACES}`)
    .optional()
    .describe('Settings of single namespaces, by their name.'),
});

export const NamespaceSettingsResponse = z.object({
  compression: z.enum(COMPRESSIONS).optional(),
  max_stale_ms: Count.optional(),
  default_ttl_seconds: z.union([Count, z.literal('never')]).optional(),
  grace_seconds: Count.optional(),
});

/** Not strict: a client of today reads the reply of tomorrow. */
export const CacheSettingsResponse = z.object({
  eviction_policy: z.enum(EVICTION_POLICIES).optional(),
  namespaces: z.record(z.string(), NamespaceSettingsResponse).optional(),
});
export type CacheSettingsResponse = z.output<typeof CacheSettingsResponse>;
