/** GET /admin/tenants/{id}: the tenant. */
import { route } from '../../lib/http/route.ts';
import { getTenantContract } from '../../lib/tenants/contract.ts';
import { tenantResult } from '../../lib/tenants/tenant-result.ts';

export const handler = route(getTenantContract, async ({ params }, { tenants }, { signal }) =>
  tenantResult(200, await tenants.getStored(params.id, signal)),
);
