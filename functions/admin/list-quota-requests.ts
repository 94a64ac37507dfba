/** GET /admin/tenants/{id}/quota-requests: a page of requests for higher quotas. */
import { route } from '../../lib/http/route.ts';
import { listQuotaRequestsContract } from '../../lib/tenants/quota-request-contract.ts';

export const handler = route(listQuotaRequestsContract, async ({ params, query }, { quotaRequests }, { signal }) => ({
  status: 200,
  data: await quotaRequests.list(params.id, query, signal),
}));
