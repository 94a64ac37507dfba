/** GET /admin/tenants/{id}/policies: the tenant's access policies. */
import { route } from '../../lib/http/route.ts';
import { getPoliciesContract } from '../../lib/tenants/policy-contract.ts';
import { etagOf } from '../../lib/tenants/record-format.ts';

export const handler = route(getPoliciesContract, async ({ params }, { tenantPolicies }, { signal }) => {
  const { policies, rev } = await tenantPolicies.get(params.id, signal);
  return { status: 200, headers: { etag: etagOf(rev) }, data: policies };
});
