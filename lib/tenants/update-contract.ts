/** The endpoints that list and change tenants: what they take and give. */
import * as z from 'zod';
import { admin, defineContract } from '../http/contract.ts';
import { Count, DryRun, Instant, Switch, TenantIdField, text } from '../http/fields.ts';
import { IfMatchRev } from '../http/number-preconditions.ts';
import { MAX_PAGE, PageSize } from '../http/paging.ts';
import { TENANT_ID } from '../ids.ts';
import { CacheSettingsRequest } from './cache-contract.ts';
import {
  ETAG_HEADER,
  OwnerRequest,
  PLANS,
  QuotasRequest,
  RateLimitRequest,
  Settings,
  TENANT_PROBLEMS,
  TENANT_STATUSES,
  TenantParams,
  TenantResponse,
  WebhookUrl,
} from './contract.ts';
import { SessionSettingsRequest } from './session-contract.ts';

export const UpdateTenantRequest = z.strictObject({
  name: text(120).optional(),
  owner: OwnerRequest.optional(),
  plan: z.enum(PLANS).optional(),
  encryption: z.boolean().optional().describe('Off: what is stored encrypted stays so, and is read.'),
  quotas: QuotasRequest.optional().describe('Quotas not named stay as they are.'),
  rate_limit: RateLimitRequest.nullable().optional().describe('Replaces all of it; null: the default.'),
  cache: CacheSettingsRequest.nullable().optional().describe('Replaces all of it; null: as the deployment is set.'),
  sessions: SessionSettingsRequest.nullable().optional().describe('As `cache`.'),
  settings: Settings.optional().describe('Replaces all of them.'),
  alert_webhook_url: WebhookUrl.nullable().optional().describe('null: none of its own.'),
});
export type UpdateTenantRequest = z.output<typeof UpdateTenantRequest>;

export const TenantListResponse = z.object({ items: z.array(TenantResponse), next_cursor: z.string().nullable() });
export type TenantListResponse = z.output<typeof TenantListResponse>;

export const DeleteTenantResponse = z.object({
  id: TenantIdField,
  status: z.enum(TENANT_STATUSES),
  deleted_at: Instant,
  erase_at: Instant.describe('Until then it can be undeleted.'),
  dry_run: z.boolean().describe('true: nothing was changed.'),
  erases: z
    .object({ entries: Count, memory_bytes: Count, storage_bytes: Count, api_keys: Count })
    .describe('What it holds now, and will be erased.'),
});
export type DeleteTenantResponse = z.output<typeof DeleteTenantResponse>;

/** Whole seconds from 0, as text. */
const Seconds = z
  .string()
  .regex(/^\d{1,9}$/, 'must be whole seconds')
  .transform(Number);

export const IfMatchHeaders = z.object({
  'if-match': IfMatchRev.optional().describe('Only over this `ETag` of the tenant. Else 412: read it again.'),
});
export const CHANGE_PROBLEMS = [...TENANT_PROBLEMS, 'deletion_pending', 'precondition_failed'] as const;
const tenantReply = { 200: { description: 'The tenant', schema: TenantResponse, headers: ETAG_HEADER } };

export const listTenantsContract = defineContract({
  method: 'GET',
  path: '/admin/tenants',
  name: 'listTenants',
  summary:
    'List tenants in order of creation, deleted ones too; a page with a cursor may be short, and is not the last',
  guard: admin,
  query: z.strictObject({
    limit: PageSize.describe(`Tenants of a page; default and at most ${MAX_PAGE}.`),
    cursor: z.string().regex(TENANT_ID, 'must be the next_cursor of a page').optional(),
    plan: z.enum(PLANS).optional(),
    status: z.enum(TENANT_STATUSES).optional(),
    text: text(120).optional().describe('Part of a name, or of the owner’s name, id, email or organization.'),
  }),
  replies: { 200: { description: 'A page of tenants', schema: TenantListResponse } },
  problems: [],
});

export const updateTenantContract = defineContract({
  method: 'PUT',
  path: '/admin/tenants/{id}',
  name: 'updateTenant',
  summary: 'Change a tenant: fields not named stay as they are, null removes; it holds from the next request on',
  guard: admin,
  params: TenantParams,
  query: z.strictObject({ force: Switch.describe('true: takes quotas below what is in use.'), dry_run: DryRun }),
  headers: IfMatchHeaders,
  body: UpdateTenantRequest,
  replies: tenantReply,
  problems: [...CHANGE_PROBLEMS, 'quota_below_usage', 'encryption_unavailable'],
});

export const deleteTenantContract = defineContract({
  method: 'DELETE',
  path: '/admin/tenants/{id}',
  name: 'deleteTenant',
  summary: 'Delete a tenant: refused from the next request on, erased for good when the undo window ends',
  guard: admin,
  params: TenantParams,
  query: z.strictObject({
    undo_seconds: Seconds.optional().describe('A shorter undo window than the deployment has.'),
    dry_run: DryRun,
  }),
  headers: IfMatchHeaders,
  replies: { 200: { description: 'What is, or would be, erased and when', schema: DeleteTenantResponse } },
  problems: [...TENANT_PROBLEMS, 'precondition_failed'],
});

export const suspendTenantContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/suspend',
  name: 'suspendTenant',
  summary: 'Suspend a tenant: its keys are refused from the next request on, its data stays',
  guard: admin,
  params: TenantParams,
  headers: IfMatchHeaders,
  replies: tenantReply,
  problems: CHANGE_PROBLEMS,
});

export const rotateDataKeyContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/encryption/rotate',
  name: 'rotateDataKey',
  summary: 'Give an encrypted tenant a new data key for what is written from now on; what is stored stays readable',
  guard: admin,
  params: TenantParams,
  headers: IfMatchHeaders,
  replies: tenantReply,
  problems: [
    ...CHANGE_PROBLEMS,
    'encryption_off',
    'data_key_limit_reached',
    'encryption_unavailable',
    'key_provider_unavailable',
    'key_refused',
  ],
});

export const resumeTenantContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/resume',
  name: 'resumeTenant',
  summary: 'End the suspension of a tenant',
  guard: admin,
  params: TenantParams,
  headers: IfMatchHeaders,
  replies: tenantReply,
  problems: CHANGE_PROBLEMS,
});

export const undeleteTenantContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/undelete',
  name: 'undeleteTenant',
  summary: 'Take back the deletion of a tenant, before the undo window ends',
  guard: admin,
  params: TenantParams,
  headers: IfMatchHeaders,
  replies: tenantReply,
  problems: [...TENANT_PROBLEMS, 'tenant_not_deleted', 'precondition_failed'],
});
