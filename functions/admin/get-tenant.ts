/** GET /admin/tenants/{id}: the tenant. */
import { route } from '../../lib/http/route.ts';
import { getTenantContract } from '../../lib/tenants/contract.ts';

export const handler = route(getTenantContract, async ({ params }, { tenants }, { signal }) => ({
  status: 200,
  data: await tenants.get(params.id, { signal }),
}));
