/** POST /admin/tenants/{id}/quota-requests: asks for higher quotas. 201 and the request. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { createQuotaRequestContract } from '../../lib/tenants/quota-request-contract.ts';

export const handler = route(createQuotaRequestContract, async ({ params, body }, app, request) => ({
  status: 201,
  data: await app.quotaRequests.create(params.id, body, adminCall(app, request)),
}));
