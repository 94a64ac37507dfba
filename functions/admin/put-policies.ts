/** PUT /admin/tenants/{id}/policies: replaces the tenant's access policies. 200 and the policies. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { putPoliciesContract } from '../../lib/tenants/policy-contract.ts';
import { etagOf } from '../../lib/tenants/record-format.ts';

export const handler = route(putPoliciesContract, async ({ params, headers, body }, app, request) => {
  const options = { ...adminCall(app, request), ifMatch: headers['if-match'] };
  const { policies, rev } = await app.tenantPolicies.set(params.id, body, options);
  return { status: 200, headers: { etag: etagOf(rev) }, data: policies };
});
