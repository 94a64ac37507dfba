/** GET /admin/tenants: a page of tenants. */
import { route } from '../../lib/http/route.ts';
import { listTenantsContract } from '../../lib/tenants/update-contract.ts';

export const handler = route(listTenantsContract, async ({ query }, { tenantList }, { signal }) => ({
  status: 200,
  data: await tenantList.list(query, signal),
}));
