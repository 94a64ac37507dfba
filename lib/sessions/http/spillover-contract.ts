/** The memory of hot sessions, and what is moved between it and S3. */
import * as z from 'zod';
import { admin, defineContract } from '../../http/contract.ts';
import { Count, Instant, TenantIdField } from '../../http/fields.ts';

const Millis = z.number().nonnegative().nullable();

const SpillBudget = z.object({
  max_memory_bytes: Count.describe('What hot sessions may take; of one tenant, its own choice if it has made one.'),
  threshold_ratio: z.number().describe('The part of it above which those used least recently are moved to S3.'),
  hot_bytes: Count.describe('What they take. Never above max_memory_bytes.'),
  granted_bytes: Count.describe('What tenants may take at once without asking for more.'),
  ratio: z.number().nonnegative().describe('Of hot_bytes to max_memory_bytes.'),
});

export const SpilloverResponse = z.object({
  tenant_id: TenantIdField.nullable().describe('null: all tenants together.'),
  as_of: Instant.nullable().describe('Of all tenants: when a pass summed them up, twice a minute; null: not yet.'),
  total_spilled: Count.describe('Sessions moved to S3, ever.'),
  total_restored: Count.describe('Sessions brought back, ever.'),
  spill_operations: Count.describe('Batches they were moved in.'),
  restore_operations: Count,
  avg_spill_time_ms: Millis.describe('Of a batch; null: there was none.'),
  avg_restore_time_ms: Millis,
  budget: SpillBudget,
  sessions: Count.describe('All that live.'),
  spilled_sessions: Count.describe('Those whose data is in S3.'),
  spilled_bytes: Count.describe('Of their objects.'),
  quarantined: z
    .object({
      count: Count,
      latest: z
        .array(z.object({ tenant_id: TenantIdField, session_id: z.string(), at: Instant }))
        .describe('The last 10, newest first. The ids are without their secret part.'),
    })
    .describe('Sessions whose object was gone or damaged when it was read.'),
  busiest: z
    .array(z.object({ tenant_id: TenantIdField, hot_bytes: Count, granted_bytes: Count }))
    .optional()
    .describe('Of all: the 10 tenants with the most hot bytes.'),
});
export type SpilloverResponse = z.output<typeof SpilloverResponse>;

export const getSpilloverContract = defineContract({
  method: 'GET',
  path: '/admin/spillover',
  name: 'getSpillover',
  summary: 'The memory of hot sessions and what is in S3: of a tenant, live; or of all together, as of the last pass',
  guard: admin,
  query: z.strictObject({ tenant_id: TenantIdField.optional() }),
  replies: { 200: { description: 'The memory and what was moved', schema: SpilloverResponse } },
  problems: ['tenant_not_found', 'tenant_erased'],
});

export const SpillRunResponse = z.object({
  dry_run: z.boolean(),
  busy: z.boolean().describe('Another pass is under way: this one has done nothing.'),
  finished: z.boolean().describe('False: there is more to do, or another pass does it.'),
  store_failed: z.boolean().describe('S3 did not answer: what was to be moved is where it was.'),
  tenants: Count.describe('Looked at.'),
  unreadable_tenants: Count,
  failed_tenants: Count.describe('Whose sessions could not be moved. The log says why.'),
  budget_bytes: Count,
  threshold_bytes: Count,
  hot_bytes_before: Count,
  hot_bytes: Count.describe('Afterwards.'),
  spilled: Count.describe('Sessions moved to S3; with dry_run those that would be.'),
  freed_bytes: Count.describe('What they took.'),
  passed_over: Count.describe(
    'Not moved: used or changed meanwhile, moved by others, or their tenant’s storage is full.',
  ),
  lowered_shares: Count.describe('Tenants that had more than they use, or than their part of what is short.'),
  restored: Count.describe('Sessions brought back before they were asked for.'),
});
export type SpillRunResponse = z.output<typeof SpillRunResponse>;

export const runSpilloverContract = defineContract({
  method: 'POST',
  path: '/admin/spillover/run',
  name: 'runSpillover',
  summary: 'Move sessions to S3 now, as the schedule does; 20 seconds at most',
  guard: admin,
  query: z.strictObject({ dry_run: z.enum(['true', 'false']).optional().describe('Only tells what would be moved.') }),
  replies: { 200: { description: 'What was done', schema: SpillRunResponse } },
  problems: [],
});
