/** POST /admin/tenants/{id}/quota-requests/{request_id}/approve: applies the quotas asked for. 200 and the request. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { approveQuotaRequestContract } from '../../lib/tenants/quota-request-contract.ts';

export const handler = route(approveQuotaRequestContract, async ({ params }, app, request) => ({
  status: 200,
  data: await app.quotaRequests.approve(params.id, params.request_id, adminCall(app, request)),
}));
