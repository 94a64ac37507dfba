/** POST /admin/tenants: creates a tenant with its quotas. 201 and the tenant. */
import { route } from '../../lib/http/route.ts';
import { createTenantContract } from '../../lib/tenants/contract.ts';

export const handler = route(createTenantContract, async ({ body }, { tenants }, { operationId, signal }) => ({
  status: 201,
  data: await tenants.create(body, { ulid: operationId(), signal }),
}));
