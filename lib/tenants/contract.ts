/** The tenant endpoints: what they take and give. */
import * as z from 'zod';
import { GRANTABLE_SCOPES } from '../gate/scope.ts';
import { admin, defineContract } from '../http/contract.ts';
import { Count, Instant, TenantIdField, text } from '../http/fields.ts';

export const PLANS = ['free', 'starter', 'professional', 'enterprise'] as const;

export const QuotasResponse = z.object({
  memory_bytes: Count,
  storage_bytes: Count,
  operations_per_minute: Count,
  data_transfer_bytes: Count,
});

/** Quotas not named keep the deployment's defaults. The rate is bounded so that limiter arithmetic stays exact. */
export const QuotasRequest = z.strictObject({
  memory_bytes: Count.optional(),
  storage_bytes: Count.optional(),
  operations_per_minute: Count.max(60_000_000).optional(),
  data_transfer_bytes: Count.optional(),
});

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
const Setting = z.union([
  z.string().max(1_000),
  z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), 'must be exact as a double'),
  z.boolean(),
]);

export const CreateTenantRequest = z.strictObject({
  name: text(120),
  owner: OwnerRequest,
  plan: z.enum(PLANS).default('free'),
  isolation_level: z.enum(['strong', 'shared']).optional(),
  encryption: z.boolean().default(false),
  quotas: QuotasRequest.default({}),
  settings: z
    .record(text(64), Setting)
    .refine((settings) => Object.keys(settings).length <= MAX_SETTINGS, `must have at most ${MAX_SETTINGS} entries`)
    .default({}),
});
export type CreateTenantRequest = z.output<typeof CreateTenantRequest>;

export const TenantResponse = z.object({
  id: TenantIdField,
  name: z.string(),
  owner: OwnerResponse,
  plan: z.enum(PLANS),
  isolation_level: z.enum(['strong', 'shared']),
  encryption: z.boolean(),
  quotas: QuotasResponse,
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  status: z.enum(['active', 'suspended']),
  created_at: Instant,
  updated_at: Instant,
});
export type TenantResponse = z.output<typeof TenantResponse>;

export const CreateKeyRequest = z.strictObject({
  scopes: z.array(z.enum(GRANTABLE_SCOPES)).min(1).max(32).default(['*']),
  expires_at: Instant.nullable().default(null),
  name: text(120).optional(),
});
export type CreateKeyRequest = z.output<typeof CreateKeyRequest>;

export const KeyResponse = z.object({
  id: z.string(),
  key: z.string().describe('Shown once: it is stored hashed only.'),
  scopes: z.array(z.string()),
  expires_at: Instant.nullable(),
});
export type KeyResponse = z.output<typeof KeyResponse>;

const TenantParams = z.object({ id: TenantIdField });

export const createTenantContract = defineContract({
  method: 'POST',
  path: '/admin/tenants',
  name: 'createTenant',
  summary: 'Create a tenant with its quotas',
  guard: admin,
  body: CreateTenantRequest,
  replies: { 201: { description: 'The tenant', schema: TenantResponse } },
  problems: ['tenant_limit_reached'],
});

export const getTenantContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}',
  name: 'getTenant',
  summary: 'Read a tenant',
  guard: admin,
  params: TenantParams,
  replies: { 200: { description: 'The tenant', schema: TenantResponse } },
  problems: ['tenant_not_found'],
});

export const createKeyContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/keys',
  name: 'createKey',
  summary: 'Create an API key of a tenant; it is shown once',
  guard: admin,
  params: TenantParams,
  body: CreateKeyRequest,
  replies: { 201: { description: 'The key', schema: KeyResponse } },
  problems: ['tenant_not_found', 'key_not_found', 'key_limit_reached'],
});
