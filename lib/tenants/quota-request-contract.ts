/** The endpoints of requests for higher quotas: what they take and give. */
import * as z from 'zod';
import { admin, defineContract } from '../http/contract.ts';
import { Count, Instant, text } from '../http/fields.ts';
import { PageSize } from '../http/paging.ts';
import { QUOTA_REQUEST_ID } from '../ids.ts';
import { QuotasRequest, TENANT_PROBLEMS, TenantParams } from './contract.ts';

export const CreateQuotaRequest = z.strictObject({
  quotas: QuotasRequest.refine((quotas) => Object.keys(quotas).length > 0, 'must name at least one quota').describe(
    'Each above what it is now.',
  ),
  reason: text(1_000),
});
export type CreateQuotaRequest = z.output<typeof CreateQuotaRequest>;

export const RejectQuotaRequest = z.strictObject({ reason: text(1_000).optional() });
export type RejectQuotaRequest = z.output<typeof RejectQuotaRequest>;

const QUOTA_REQUEST_STATUSES = ['open', 'approved', 'rejected'] as const;

export const QuotaRequestResponse = z.object({
  id: z.string(),
  quotas: z.object({
    memory_bytes: Count.optional(),
    storage_bytes: Count.optional(),
    operations_per_minute: Count.optional(),
    data_transfer_bytes: Count.optional(),
  }),
  reason: z.string(),
  status: z.enum(QUOTA_REQUEST_STATUSES),
  created_at: Instant,
  decided_at: Instant.optional(),
  decision_reason: z.string().optional(),
});
export type QuotaRequestResponse = z.output<typeof QuotaRequestResponse>;

export const QuotaRequestListResponse = z.object({
  items: z.array(QuotaRequestResponse),
  next_cursor: z.string().nullable(),
});
export type QuotaRequestListResponse = z.output<typeof QuotaRequestListResponse>;

const RequestId = z.string().regex(QUOTA_REQUEST_ID, 'must be the id of a quota request, as qreq-01h…');
const QuotaRequestParams = TenantParams.extend({ request_id: RequestId });
const PATH = '/admin/tenants/{id}/quota-requests';
const decided = { 200: { description: 'The request, decided', schema: QuotaRequestResponse } };
const decisionProblems = [
  ...TENANT_PROBLEMS,
  'deletion_pending',
  'quota_request_not_found',
  'quota_request_closed',
] as const;

export const createQuotaRequestContract = defineContract({
  method: 'POST',
  path: PATH,
  name: 'createQuotaRequest',
  summary: 'Ask for higher quotas of a tenant',
  guard: admin,
  params: TenantParams,
  body: CreateQuotaRequest,
  replies: { 201: { description: 'The request', schema: QuotaRequestResponse } },
  problems: [...TENANT_PROBLEMS, 'deletion_pending', 'quota_request_limit_reached'],
});

export const listQuotaRequestsContract = defineContract({
  method: 'GET',
  path: PATH,
  name: 'listQuotaRequests',
  summary: 'List requests for higher quotas: all open ones, and the last 100 that were decided',
  guard: admin,
  params: TenantParams,
  query: z.strictObject({
    limit: PageSize.describe('Requests of a page; default and at most 100.'),
    cursor: RequestId.optional(),
    status: z.enum(QUOTA_REQUEST_STATUSES).optional(),
  }),
  replies: { 200: { description: 'A page of requests, oldest first', schema: QuotaRequestListResponse } },
  problems: TENANT_PROBLEMS,
});

export const approveQuotaRequestContract = defineContract({
  method: 'POST',
  path: `${PATH}/{request_id}/approve`,
  name: 'approveQuotaRequest',
  summary: 'Approve a request: the quotas hold from the next request of the tenant on; none becomes lower',
  guard: admin,
  params: QuotaRequestParams,
  replies: decided,
  problems: decisionProblems,
});

export const rejectQuotaRequestContract = defineContract({
  method: 'POST',
  path: `${PATH}/{request_id}/reject`,
  name: 'rejectQuotaRequest',
  summary: 'Reject a request for higher quotas',
  guard: admin,
  params: QuotaRequestParams,
  body: RejectQuotaRequest,
  replies: decided,
  problems: decisionProblems,
});
