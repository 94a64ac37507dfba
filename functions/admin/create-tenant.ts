/** POST /admin/tenants: creates a tenant with its quotas. 201 and the tenant. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { createTenantContract } from '../../lib/tenants/contract.ts';
import { checkLimitedRoutes } from '../../lib/tenants/limited-routes.ts';
import { tenantResult } from '../../lib/tenants/tenant-result.ts';

export const handler = route(createTenantContract, async ({ body }, app, request) => {
  checkLimitedRoutes(body.rate_limit);
  return tenantResult(201, await app.tenants.createStored(body, adminCall(app, request)));
});
