/** PUT /admin/tenants/{id}: changes the fields that are named. 200 and the tenant. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { checkLimitedRoutes } from '../../lib/tenants/limited-routes.ts';
import { tenantResult } from '../../lib/tenants/tenant-result.ts';
import { updateTenantContract } from '../../lib/tenants/update-contract.ts';

export const handler = route(updateTenantContract, async ({ params, query, headers, body }, app, request) => {
  checkLimitedRoutes(body.rate_limit);
  const options = { ...adminCall(app, request), ifMatch: headers['if-match'], force: query.force === 'true' };
  return tenantResult(200, await app.tenantAdmin.update(params.id, body, options));
});
