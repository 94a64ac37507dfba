/** POST /admin/tenants/{id}/quota-requests/{request_id}/reject: closes the request. 200 and the request. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { rejectQuotaRequestContract } from '../../lib/tenants/quota-request-contract.ts';

export const handler = route(rejectQuotaRequestContract, async ({ params, body }, app, request) => {
  const call = { ...adminCall(app, request), reason: body.reason };
  return { status: 200, data: await app.quotaRequests.reject(params.id, params.request_id, call) };
});
