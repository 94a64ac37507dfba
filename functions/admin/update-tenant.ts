/** PUT /admin/tenants/{id}: changes the fields that are named; or says what that would make. 200 and the tenant. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { checkLimitedRoutes } from '../../lib/tenants/limited-routes.ts';
import { tenantResult } from '../../lib/tenants/tenant-result.ts';
import { updateTenantContract } from '../../lib/tenants/update-contract.ts';

export const handler = route(updateTenantContract, async ({ params, query, headers, body }, app, request) => {
  checkLimitedRoutes(body.rate_limit);
  const options = { ...adminCall(app, request), ifMatch: headers['if-match'], force: query.force === 'true' };
  const { tenantAdmin } = app;
  const asked = query.dry_run === 'true' ? tenantAdmin.previewUpdate : tenantAdmin.update;
  return tenantResult(200, await asked(params.id, body, options));
});
