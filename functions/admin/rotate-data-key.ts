/** POST /admin/tenants/{id}/encryption/rotate: a new data key for what is written from now on. 200 and the tenant. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { tenantResult } from '../../lib/tenants/tenant-result.ts';
import { rotateDataKeyContract } from '../../lib/tenants/update-contract.ts';

export const handler = route(rotateDataKeyContract, async ({ params, headers }, app, request) => {
  const options = { ...adminCall(app, request), ifMatch: headers['if-match'] };
  return tenantResult(200, await app.keyRotation.rotate(params.id, options));
});
