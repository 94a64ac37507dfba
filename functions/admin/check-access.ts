/** GET /admin/tenants/{id}/access: what the tenant's policies would say. 200 with the verdict. */
import { route } from '../../lib/http/route.ts';
import { checkAccessContract } from '../../lib/tenants/access-contract.ts';

export const handler = route(checkAccessContract, async ({ params, query }, { accessCheck }, { signal }) => {
  const { action, resource, key_id: keyId } = query;
  return { status: 200, data: await accessCheck.validateAccess(params.id, { action, resource, keyId }, signal) };
});
