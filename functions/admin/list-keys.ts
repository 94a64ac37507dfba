/** GET /admin/tenants/{id}/keys: a page of the tenant's API keys, without their secrets. */
import { route } from '../../lib/http/route.ts';
import { listKeysContract } from '../../lib/tenants/key-contract.ts';

export const handler = route(listKeysContract, async ({ params, query }, { apiKeyList }, { signal }) => ({
  status: 200,
  data: await apiKeyList.list(params.id, query, signal),
}));
