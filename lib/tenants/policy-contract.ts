/** The endpoints of a tenant's access policies: what they take and give. */
import * as z from 'zod';
import { matches } from '../gate/policies.ts';
import { SCOPES } from '../gate/scope.ts';
import { admin, defineContract } from '../http/contract.ts';
import { DryRun } from '../http/fields.ts';
import { KEY_ID, ULID } from '../ids.ts';
import { ETAG_HEADER, TENANT_PROBLEMS, TenantParams } from './contract.ts';
import { fitsInBytes, MAX_NAMED_KEYS, MAX_POLICY_BYTES } from './policy-limits.ts';
import { CHANGE_PROBLEMS, IfMatchHeaders } from './update-contract.ts';

const MAX_STATEMENTS = 100;
const MAX_PATTERNS = 20;

const Pattern = z
  .string()
  .min(1)
  .max(256)
  .refine((pattern) => pattern.isWellFormed(), 'must be well-formed Unicode')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .refine((pattern) => !/[\x00-\x1f\x7f]/.test(pattern), 'must not hold control characters');
/** One that can never match would make a rule that looks as if it held. */
const ActionPattern = Pattern.refine(
  (pattern) => SCOPES.some((scope) => matches(pattern, scope)),
  `must match an action: ${SCOPES.join(', ')}`,
);

/** As sessions are asked about: all of them, or the one of a ULID. */
const OF_SESSIONS = new RegExp(`^sessions/(?:session-${ULID}$|[^*]{0,34}\\*)`);
const ResourcePattern = Pattern.refine(
  (pattern) => !pattern.startsWith('sessions/') || OF_SESSIONS.test(pattern),
  'must name a session without its secret, as sessions/session-01h…: only so it matches',
);

const patterns = (pattern: z.ZodString, about: string) => z.array(pattern).min(1).max(MAX_PATTERNS).describe(about);
const Statement = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  actions: patterns(ActionPattern, 'As scopes: `cache:read`, `cache:*`, `*`.'),
  resources: patterns(ResourcePattern, 'As `cache/orders/*`; `*` stands for any characters.'),
  keys: z
    .array(z.string().regex(KEY_ID, 'must be a key id, as key-01h…'))
    .min(1)
    .max(MAX_NAMED_KEYS)
    .optional()
    .describe('Key ids; absent: every key.'),
});

export const PoliciesRequest = z
  .strictObject({
    default: z.enum(['allow', 'deny']).default('allow').describe('Where no statement speaks.'),
    statements: z.array(Statement).max(MAX_STATEMENTS).describe('One that denies beats all that allow.'),
  })
  .refine(fitsInBytes, `must have at most ${MAX_POLICY_BYTES} bytes in all`);
export type PoliciesRequest = z.output<typeof PoliciesRequest>;

export const PoliciesResponse = z.object({
  default: z.enum(['allow', 'deny']),
  statements: z.array(
    z.object({
      effect: z.enum(['allow', 'deny']),
      actions: z.array(z.string()),
      resources: z.array(z.string()),
      keys: z.array(z.string()).optional(),
    }),
  ),
});
export type PoliciesResponse = z.output<typeof PoliciesResponse>;

const POLICIES_PATH = '/admin/tenants/{id}/policies';
const replies = { 200: { description: 'The policies', schema: PoliciesResponse, headers: ETAG_HEADER } };

export const getPoliciesContract = defineContract({
  method: 'GET',
  path: POLICIES_PATH,
  name: 'getPolicies',
  summary: 'Read the access policies of a tenant',
  guard: admin,
  params: TenantParams,
  replies,
  problems: TENANT_PROBLEMS,
});

export const putPoliciesContract = defineContract({
  method: 'PUT',
  path: POLICIES_PATH,
  name: 'putPolicies',
  summary: 'Replace the access policies of a tenant; they hold from the next request on',
  guard: admin,
  params: TenantParams,
  query: z.strictObject({ dry_run: DryRun }),
  headers: IfMatchHeaders,
  body: PoliciesRequest,
  replies,
  problems: CHANGE_PROBLEMS,
});
