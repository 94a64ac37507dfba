/** The tenant endpoints: what they take and give. */
import * as z from 'zod';
import { isWebhookUrl, MAX_WEBHOOK_URL, WEBHOOK_URL_EXPECTED } from '../alerts/webhook-url.ts';
import { admin, defineContract } from '../http/contract.ts';
import { Count, Instant, TenantIdField, text } from '../http/fields.ts';
import { CacheSettingsRequest, CacheSettingsResponse } from './cache-contract.ts';
import { SessionSettingsRequest, SessionSettingsResponse } from './session-contract.ts';

export const PLANS = ['free', 'starter', 'professional', 'enterprise'] as const;

export const QuotasResponse = z.object({
  memory_bytes: Count,
  storage_bytes: Count,
  operations_per_minute: Count,
  data_transfer_bytes: Count,
});

/** Bounded so that the arithmetic of limits and byte-time stays exact. */
const Bytes = Count.max(1_000_000_000_000_000);
const MAX_RATE = 60_000_000;

/** Quotas not named keep the deployment's defaults. */
export const QuotasRequest = z.strictObject({
  memory_bytes: Bytes.optional(),
  storage_bytes: Bytes.optional(),
  operations_per_minute: Count.max(MAX_RATE).optional(),
  data_transfer_bytes: Bytes.optional(),
});

const Rate = z.int().min(1).max(MAX_RATE);
const Burst = Rate.optional().describe('Calls that may come at once. Default: a tenth of a minute’s, at least one.');

/** The limit of one key or one route, beside the tenant's own. */
export const OwnLimitRequest = z.strictObject({ operations_per_minute: Rate, burst: Burst });
export const OwnLimitResponse = z.object({ operations_per_minute: Count, burst: Count.optional() });

const MAX_LIMITED_ROUTES = 50;
const RouteName = z.string().regex(/^[a-z][A-Za-z]{0,63}$/, 'must be the name of an endpoint, as getEntry');

export const RateLimitRequest = z.strictObject({
  burst: Burst,
  routes: z
    .record(RouteName, OwnLimitRequest)
    .refine((routes) => Object.keys(routes).length <= MAX_LIMITED_ROUTES, `must have at most ${MAX_LIMITED_ROUTES}`)
    .optional()
    .describe('Limits of single endpoints, by their name.'),
});

export const RateLimitResponse = z.object({
  burst: Count.optional(),
  routes: z.record(z.string(), OwnLimitResponse).optional(),
});

/** Where alerts go: what would be refused when they are sent is refused here. */
export const WebhookUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .max(MAX_WEBHOOK_URL)
  .refine(isWebhookUrl, `must be ${WEBHOOK_URL_EXPECTED}`);

export const OwnerRequest = z.strictObject({
  id: text(128),
  name: text(120),
  email: z.email().max(254),
  organization: text(120).optional(),
});

/** Not strict: a client of today reads the reply of tomorrow. */
export const OwnerResponse = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  organization: z.string().optional(),
});

const MAX_SETTINGS = 100;
/** Whole numbers above 2^53 would come back as others. */
const Setting = z.union(
  [
    z.string().max(1_000),
    z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), 'must be exact as a double'),
    z.boolean(),
  ],
  'must be text of up to 1,000 characters, a number, true or false',
);

export const Settings = z
  .record(text(64), Setting)
  .refine((settings) => Object.keys(settings).length <= MAX_SETTINGS, `must have at most ${MAX_SETTINGS} entries`);

export const CreateTenantRequest = z.strictObject({
  name: text(120),
  owner: OwnerRequest,
  plan: z.enum(PLANS).default('free'),
  isolation_level: z.enum(['strong', 'shared']).optional(),
  encryption: z.boolean().optional().describe('Default: as the deployment is set.'),
  quotas: QuotasRequest.default({}),
  rate_limit: RateLimitRequest.optional(),
  cache: CacheSettingsRequest.optional().describe('Default: as the deployment is set.'),
  sessions: SessionSettingsRequest.optional().describe('Default: as the deployment is set.'),
  settings: Settings.default({}),
  alert_webhook_url: WebhookUrl.optional(),
});
export type CreateTenantRequest = z.output<typeof CreateTenantRequest>;

export const TENANT_STATUSES = ['active', 'suspended', 'deleted'] as const;

export const TenantResponse = z.object({
  id: TenantIdField,
  name: z.string(),
  owner: OwnerResponse,
  plan: z.enum(PLANS),
  isolation_level: z.enum(['strong', 'shared']),
  encryption: z.boolean(),
  quotas: QuotasResponse,
  rate_limit: RateLimitResponse.optional(),
  cache: CacheSettingsResponse.optional(),
  sessions: SessionSettingsResponse.optional(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  alert_webhook_url: z.string().optional(),
  status: z.enum(TENANT_STATUSES),
  created_at: Instant,
  updated_at: Instant,
  deleted_at: Instant.optional(),
  erase_at: Instant.optional().describe('Until then it can be undeleted.'),
  erasing_since: Instant.optional().describe('From then on it cannot be undeleted.'),
  status_before_deletion: z.enum(['active', 'suspended']).optional().describe('What undeleting brings back.'),
});
export type TenantResponse = z.output<typeof TenantResponse>;

export const TenantParams = z.object({ id: TenantIdField });
export const ETAG_HEADER = { etag: 'Changes with every change of the tenant; send it as If-Match.' };
export const TENANT_PROBLEMS = ['tenant_not_found', 'tenant_erased'] as const;

export const createTenantContract = defineContract({
  method: 'POST',
  path: '/admin/tenants',
  name: 'createTenant',
  summary: 'Create a tenant with its quotas',
  guard: admin,
  body: CreateTenantRequest,
  replies: {
    201: {
      description: 'The tenant',
      schema: TenantResponse,
      headers: { ...ETAG_HEADER, location: 'Where to find it: /admin/tenants/{id}.' },
    },
  },
  problems: ['tenant_limit_reached', 'encryption_unavailable', 'tenant_erased'],
});

export const getTenantContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}',
  name: 'getTenant',
  summary: 'Read a tenant',
  guard: admin,
  params: TenantParams,
  replies: { 200: { description: 'The tenant', schema: TenantResponse, headers: ETAG_HEADER } },
  problems: TENANT_PROBLEMS,
});
