/** `GET /admin/tenants/{id}/access`: what the tenant's policies would say. */
import * as z from 'zod';
import { SCOPES } from '../gate/scope.ts';
import { admin, defineContract } from '../http/contract.ts';
import { KEY_ID } from '../ids.ts';
import { TENANT_PROBLEMS, TenantParams } from './contract.ts';

const AccessQuery = z.strictObject({
  action: z.enum(SCOPES).describe('What is to be done, as a scope.'),
  resource: z.string().min(1).max(2_048).describe('To what, as `cache/orders/42`.'),
  key_id: z
    .string()
    .regex(KEY_ID, 'must be a key id, as key-01h…')
    .optional()
    .describe('By which key; absent: one that no statement names.'),
});

export const AccessResponse = z.object({
  allowed: z.boolean(),
  statement: z.int().nonnegative().nullable().describe('The statement that decided, from 0; null: the default did.'),
});
export type AccessResponse = z.output<typeof AccessResponse>;

export const checkAccessContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}/access',
  name: 'checkAccess',
  summary: 'Ask what the access policies of a tenant would say; nothing is done',
  guard: admin,
  params: TenantParams,
  query: AccessQuery,
  replies: { 200: { description: 'The verdict', schema: AccessResponse } },
  problems: TENANT_PROBLEMS,
});
