/** `GET /admin/tenants/{id}/erasure`: where an erasure stands, and its receipt. */
import * as z from 'zod';
import { admin, defineContract } from '../http/contract.ts';
import { Count, Instant, TenantIdField } from '../http/fields.ts';

const CheckedStore = z.object({
  store: z.enum(['redis', 's3']),
  name: z.string(),
  removed: Count,
  left: Count.describe('What a look after the removal still found.'),
});

const ErasureReceiptResponse = z.object({
  tenant_id: z.string(),
  deleted_at: z.string(),
  erased_at: z.string(),
  audit_entry: z.string(),
  before: z.object({ entries: Count, memory_bytes: Count, storage_bytes: Count, api_keys: Count }),
  method: z.enum(['removal', 'removal_and_crypto_shred']),
  stores: z.array(CheckedStore).readonly(),
  kept: z
    .array(z.object({ name: z.string(), count: Count.nullable().describe('null: not counted.'), reason: z.string() }))
    .readonly(),
  sha256: z.string().describe('Of the rest, as canonical JSON; the audit log has it too.'),
});

export const ErasureResponse = z.object({
  tenant_id: z.string(),
  state: z.enum(['scheduled', 'erasing', 'erased']),
  deleted_at: Instant.optional(),
  erase_at: Instant.optional().describe('Until then the deletion can be undone.'),
  receipt: ErasureReceiptResponse.optional(),
});
export type ErasureResponse = z.output<typeof ErasureResponse>;

export const getErasureContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}/erasure',
  name: 'getErasure',
  summary: 'Where the erasure of a deleted tenant stands, and its receipt',
  guard: admin,
  params: z.object({ id: TenantIdField }),
  replies: { 200: { description: 'The state, with the receipt once it is erased', schema: ErasureResponse } },
  problems: ['tenant_not_found', 'tenant_not_deleted'],
});
