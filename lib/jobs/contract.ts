/** The endpoints of long work: what they take and give. */
import * as z from 'zod';
import { admin, defineContract, tenant } from '../http/contract.ts';
import { Count, Instant, TenantIdField } from '../http/fields.ts';
import { PageSize } from '../http/paging.ts';
import { JOB_ID } from '../ids.ts';

export const JOB_STATUSES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const JobProgress = z.object({
  done: Count,
  total: Count.nullable().describe('null: not known.'),
  unit: z.string().describe('What is counted, as `entries`.'),
});
export type JobProgress = z.output<typeof JobProgress>;

export const JobResponse = z.object({
  id: z.string(),
  kind: z.string(),
  tenant_id: z.string().nullable().describe('null: it is the work of the deployment.'),
  status: z.enum(JOB_STATUSES),
  progress: JobProgress,
  percent: z.int().min(0).max(100).nullable().describe('Of the progress; null: there is no total.'),
  eta_seconds: Count.nullable().describe(
    'Until it is done at the pace of late; null: it cannot be told yet, or nothing is left to do.',
  ),
  attempts: Count.describe('Tries since it last came further; after the fifth it has failed.'),
  created_at: Instant,
  updated_at: Instant,
  started_at: Instant.optional(),
  heartbeat_at: Instant.optional().describe(
    'When whoever runs it was last heard of; at least every 30 s while a step runs.',
  ),
  ended_at: Instant.optional().describe('It is kept for 7 days from then on.'),
  result: z.record(z.string(), z.unknown()).optional().describe('Of one that is done.'),
  problem: z.object({ code: z.string(), detail: z.string() }).optional().describe('Of one that has failed.'),
});
export type JobResponse = z.output<typeof JobResponse>;

export const JobListResponse = z.object({ items: z.array(JobResponse), next_cursor: z.string().nullable() });
export type JobListResponse = z.output<typeof JobListResponse>;

/** What starting long work answers, with status 202. */
export const JobAcceptedResponse = z.object({ job_id: z.string() });
export type JobAcceptedResponse = z.output<typeof JobAcceptedResponse>;

const JobId = z.string().regex(JOB_ID, 'must be the id of a job, as job-01h…');
const JobParams = z.object({ id: JobId });
const oneJob = { 200: { description: 'The job', schema: JobResponse } };

export const getJobContract = defineContract({
  method: 'GET',
  path: '/admin/jobs/{id}',
  name: 'getJob',
  summary: 'Follow long work: how far it is, and what it came to',
  guard: admin,
  params: JobParams,
  replies: oneJob,
  problems: ['job_not_found'],
});

export const listJobsContract = defineContract({
  method: 'GET',
  path: '/admin/jobs',
  name: 'listJobs',
  summary: 'List long work, newest first: all that waits or runs, and what ended in the last 7 days',
  guard: admin,
  query: z.strictObject({
    limit: PageSize.describe('Jobs of a page; default and at most 100.'),
    cursor: JobId.optional(),
    status: z.enum(JOB_STATUSES).optional(),
    tenant_id: TenantIdField.optional(),
  }),
  replies: { 200: { description: 'A page of jobs', schema: JobListResponse } },
  problems: [],
});

export const cancelJobContract = defineContract({
  method: 'POST',
  path: '/admin/jobs/{id}/cancel',
  name: 'cancelJob',
  summary: 'Cancel long work: the step that is under way ends, and none follows; what was done stays done',
  guard: admin,
  params: JobParams,
  replies: { 200: { description: 'The job, cancelled', schema: JobResponse } },
  problems: ['job_not_found', 'job_ended'],
});

export const getOwnJobContract = defineContract({
  method: 'GET',
  path: '/jobs/{id}',
  name: 'getOwnJob',
  summary: "Follow the caller's own long work: how far it is, and what it came to",
  guard: tenant('none'),
  params: JobParams,
  replies: oneJob,
  problems: ['job_not_found'],
});
