/** POST /admin/tenants/{id}/suspend: refuses its keys, keeps its data. 200 and the tenant. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { tenantResult } from '../../lib/tenants/tenant-result.ts';
import { suspendTenantContract } from '../../lib/tenants/update-contract.ts';

export const handler = route(suspendTenantContract, async ({ params, headers }, app, request) => {
  const options = { ...adminCall(app, request), ifMatch: headers['if-match'] };
  return tenantResult(200, await app.tenantAdmin.suspend(params.id, options));
});
