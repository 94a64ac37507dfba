/** PUT /admin/tenants/{id}/policies: replaces the tenant's access policies, or only looks if it may. 200 and the policies. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { putPoliciesContract } from '../../lib/tenants/policy-contract.ts';
import { etagOf } from '../../lib/tenants/record-format.ts';

export const handler = route(putPoliciesContract, async ({ params, query, headers, body }, app, request) => {
  const options = { ...adminCall(app, request), ifMatch: headers['if-match'] };
  const { tenantPolicies } = app;
  const asked = query.dry_run === 'true' ? tenantPolicies.previewSet : tenantPolicies.set;
  const { policies, rev } = await asked(params.id, body, options);
  return { status: 200, headers: { etag: etagOf(rev) }, data: policies };
});
