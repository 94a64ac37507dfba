/** The endpoints of a tenant's API keys: what they take and give. */
import * as z from 'zod';
import { GRANTABLE_SCOPES } from '../gate/scope.ts';
import { admin, defineContract } from '../http/contract.ts';
import { DryRun, Instant, text } from '../http/fields.ts';
import { PageSize } from '../http/paging.ts';
import { KEY_ID } from '../ids.ts';
import { OwnLimitRequest, OwnLimitResponse, TENANT_PROBLEMS, TenantParams } from './contract.ts';

export const CreateKeyRequest = z.strictObject({
  scopes: z.array(z.enum(GRANTABLE_SCOPES)).min(1).max(32).default(['*']),
  expires_at: Instant.nullable().default(null),
  name: text(120).optional(),
  rate_limit: OwnLimitRequest.optional().describe('A limit of this key alone, beside that of the tenant.'),
});
export type CreateKeyRequest = z.output<typeof CreateKeyRequest>;

export const KeyResponse = z.object({
  id: z.string(),
  key: z.string().describe('Shown once: it is stored hashed only.'),
  scopes: z.array(z.string()),
  expires_at: Instant.nullable(),
});
export type KeyResponse = z.output<typeof KeyResponse>;

export const KeyListItem = z.object({
  id: z.string(),
  name: z.string().optional(),
  scopes: z.array(z.string()),
  state: z.enum(['active', 'expired', 'revoked']),
  created_at: Instant,
  expires_at: Instant.nullable(),
  last_used_at: Instant.nullable().describe('To the minute.'),
  rate_limit: OwnLimitResponse.optional(),
});
export type KeyListItem = z.output<typeof KeyListItem>;

export const KeyListResponse = z.object({ items: z.array(KeyListItem), next_cursor: z.string().nullable() });
export type KeyListResponse = z.output<typeof KeyListResponse>;

/** A week: longer than that, two keys are two keys. */
const MAX_OVERLAP_SECONDS = 604_800;

export const RotateKeyRequest = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(MAX_OVERLAP_SECONDS)
    .default(3_600)
    .describe('How long the old key works beside the new one, unless it expires sooner.'),
  expires_at: Instant.nullable().optional().describe('Of the new key. Default: as the old one had it.'),
});
export type RotateKeyRequest = z.output<typeof RotateKeyRequest>;

const KeyParams = TenantParams.extend({ key_id: z.string().regex(KEY_ID, 'must be a key id, as key-01h…') });

export const createKeyContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/keys',
  name: 'createKey',
  summary: 'Create an API key of a tenant; it is shown once',
  guard: admin,
  params: TenantParams,
  body: CreateKeyRequest,
  replies: { 201: { description: 'The key', schema: KeyResponse } },
  problems: [...TENANT_PROBLEMS, 'key_not_found', 'key_limit_reached', 'deletion_pending', 'key_already_made'],
});

export const listKeysContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}/keys',
  name: 'listKeys',
  summary: 'List the API keys of a tenant, never their secrets',
  guard: admin,
  params: TenantParams,
  query: z.strictObject({
    limit: PageSize.describe('Keys of a page; default and at most 100.'),
    cursor: z.string().regex(KEY_ID, 'must be the next_cursor of a page').optional(),
  }),
  replies: { 200: { description: 'A page of keys, oldest first', schema: KeyListResponse } },
  problems: TENANT_PROBLEMS,
});

export const revokeKeyContract = defineContract({
  method: 'DELETE',
  path: '/admin/tenants/{id}/keys/{key_id}',
  name: 'revokeKey',
  summary: 'Revoke an API key: refused from the next request on',
  guard: admin,
  params: KeyParams,
  query: z.strictObject({ dry_run: DryRun }),
  replies: {
    200: { description: 'Of a dry run: the key as it is', schema: KeyListItem },
    204: { description: 'It is revoked, also when it was before' },
  },
  problems: [...TENANT_PROBLEMS, 'key_not_found'],
});

export const rotateKeyContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/keys/{key_id}/rotate',
  name: 'rotateKey',
  summary: 'Replace an API key: a new one with the same scopes; the old one works on for the overlap',
  guard: admin,
  params: KeyParams,
  body: RotateKeyRequest,
  replies: { 201: { description: 'The new key', schema: KeyResponse } },
  problems: [
    ...TENANT_PROBLEMS,
    'key_not_found',
    'key_limit_reached',
    'deletion_pending',
    'key_already_made',
    'key_not_active',
  ],
});
