/** The endpoints of checkpoints: what they take and give. */
import * as z from 'zod';
import { admin, defineContract } from '../../http/contract.ts';
import { Count, Instant, TenantIdField, text } from '../../http/fields.ts';
import { PageSize } from '../../http/paging.ts';
import { CHECKPOINT_ID } from '../../ids.ts';
import { JobAcceptedResponse } from '../../jobs/contract.ts';

export const CheckpointId = z.string().regex(CHECKPOINT_ID, 'must be the id of a checkpoint, as ckpt-01h…');
export const CheckpointParams = z.object({ id: CheckpointId });

export const CreateCheckpointRequest = z.strictObject({
  description: text(200).optional().describe('What it is made for.'),
  cache: z
    .boolean()
    .optional()
    .describe('Whether entries of the cache are in it; default: `state.checkpoint_cache`. Sessions always are.'),
});
export type CreateCheckpointRequest = z.output<typeof CreateCheckpointRequest>;

export const CreateCheckpointResponse = JobAcceptedResponse.extend({
  checkpoint_id: z.string().describe('It is there once the job is done.'),
});
export type CreateCheckpointResponse = z.output<typeof CreateCheckpointResponse>;

const header = {
  id: z.string(),
  readable: z.literal(true),
  type: z.enum(['manual', 'scheduled', 'shutdown', 'safety']).describe('safety: made before a restore.'),
  description: z.string().nullable(),
  started_at: Instant.describe('What was written before is in it.'),
  finished_at: Instant,
  took_ms: Count,
  base: z.string().nullable().describe('The checkpoint whose objects it shares; null: it wrote all itself.'),
  cache: z.boolean().describe('Whether entries of the cache are in it.'),
  config_version: Count.nullable().describe('The version of the configuration then; null: none was made.'),
  tenants: Count,
  cache_entries: Count,
  sessions: Count,
  bytes: Count.describe('Of all objects it needs, those it shares included.'),
  new_bytes: Count.describe('Of those written for it.'),
  raw_bytes: Count.describe('Before they were packed.'),
};

export const CheckpointSummary = z.object(header);
export type CheckpointSummary = z.output<typeof CheckpointSummary>;

export const ListedCheckpoint = CheckpointSummary.partial().extend({
  id: z.string(),
  readable: z.boolean().describe('false: nothing else is known of it.'),
  problem: z.string().optional().describe('Of one that cannot be read: what to do about it.'),
});

export const CheckpointListResponse = z.object({
  items: z.array(ListedCheckpoint),
  next_cursor: z.string().nullable(),
});
export type CheckpointListResponse = z.output<typeof CheckpointListResponse>;

const Verified = z
  .object({
    at: Instant,
    ok: z.boolean(),
    objects: Count.describe('Read.'),
    frames: Count,
    bytes: Count,
    damaged: Count.describe('Objects that cannot be used.'),
    erased: Count.describe('Tenants erased since: what they had is gone on purpose.'),
    problems: z
      .array(z.object({ tenant_id: z.string().nullable(), object: z.string().nullable(), reason: z.string() }))
      .describe('The first 100.'),
  })
  .nullable();

export const CheckpointTenantSummary = z.object({
  tenant_id: z.string(),
  as_of: Instant.describe('Everything written before is in it.'),
  cache_entries: Count,
  sessions: Count,
  bytes: Count,
  runs: Count.describe('What is merged to restore it: all records, and what changed since.'),
});

export const CheckpointResponse = z.object({
  ...header,
  verified: Verified.describe('What was found when all of it was read last; null: it was not.'),
  tenant_items: z.array(CheckpointTenantSummary).describe('A page of its tenants, by id.'),
  next_cursor: z.string().nullable(),
});
export type CheckpointResponse = z.output<typeof CheckpointResponse>;

const READ_PROBLEMS = ['value_corrupt', 'checkpoint_format_unknown', 'blob_store_unavailable'] as const;

export const createCheckpointContract = defineContract({
  method: 'POST',
  path: '/admin/state/checkpoint',
  name: 'createCheckpoint',
  summary: 'Take a checkpoint of all tenants: only what changed since the one before is read and written',
  guard: admin,
  body: CreateCheckpointRequest,
  bodyMayBeAbsent: true,
  replies: {
    202: {
      description: 'A job, and the checkpoint it makes',
      schema: CreateCheckpointResponse,
      headers: { location: 'The job' },
    },
  },
  problems: ['checkpoint_running', 'job_limit_reached'],
});

export const listCheckpointsContract = defineContract({
  method: 'GET',
  path: '/admin/state/checkpoints',
  name: 'listCheckpoints',
  summary: 'List the checkpoints there are, newest first, from S3: also when Redis is empty',
  guard: admin,
  query: z.strictObject({
    limit: PageSize.describe('Checkpoints of a page; default and at most 100.'),
    cursor: CheckpointId.optional(),
  }),
  replies: { 200: { description: 'A page of checkpoints', schema: CheckpointListResponse } },
  problems: ['blob_store_unavailable'],
});

export const getCheckpointContract = defineContract({
  method: 'GET',
  path: '/admin/state/checkpoints/{id}',
  name: 'getCheckpoint',
  summary: 'See what is in a checkpoint, tenant by tenant, and whether it was found sound',
  guard: admin,
  params: CheckpointParams,
  query: z.strictObject({
    tenant_id: TenantIdField.optional().describe('Only this tenant.'),
    limit: PageSize.describe('Tenants of a page; default and at most 100.'),
    cursor: TenantIdField.optional(),
  }),
  replies: { 200: { description: 'The checkpoint, with a page of its tenants', schema: CheckpointResponse } },
  problems: ['checkpoint_not_found', ...READ_PROBLEMS],
});

export const verifyCheckpointContract = defineContract({
  method: 'POST',
  path: '/admin/state/checkpoints/{id}/verify',
  name: 'verifyCheckpoint',
  summary: 'Read all of a checkpoint and say whether it could be restored; nothing is changed',
  guard: admin,
  params: CheckpointParams,
  replies: {
    202: {
      description: 'A job, whose result says what was found; so does the checkpoint afterwards',
      schema: JobAcceptedResponse,
      headers: { location: 'The job' },
    },
  },
  problems: ['checkpoint_not_found', 'job_limit_reached', 'blob_store_unavailable'],
});
