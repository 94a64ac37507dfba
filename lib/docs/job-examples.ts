/** What calls about jobs and their answers may look like. */
import type { ContractName } from '../http/contracts.ts';
import { type Example, TENANT, WRITTEN_AT } from './example.ts';

export const JOB = {
  id: 'job-01k0xwap5n3t7v1q9s4k8m2r6d',
  kind: 'warm-cache',
  tenant_id: TENANT,
  status: 'running',
  progress: { done: 1_200, total: 5_000, unit: 'entries' },
  percent: 24,
  eta_seconds: 38,
  attempts: 1,
  created_at: WRITTEN_AT,
  started_at: WRITTEN_AT,
  updated_at: '2026-07-01T09:30:12.000Z',
  heartbeat_at: '2026-07-01T09:30:12.000Z',
};

export const JOB_EXAMPLES = {
  getJob: { params: { id: JOB.id }, reply: JOB },
  getOwnJob: { params: { id: JOB.id }, reply: JOB },
  listJobs: { query: { limit: '10', status: 'running' }, reply: { items: [JOB], next_cursor: null } },
  cancelJob: {
    params: { id: JOB.id },
    reply: { ...JOB, status: 'cancelled', eta_seconds: null, ended_at: '2026-07-01T09:30:12.000Z' },
  },
} satisfies Partial<Record<ContractName, Example>>;
