/** DELETE /admin/tenants/{id}/keys/{key_id}: revokes the key. 204, also when it was before. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { revokeKeyContract } from '../../lib/tenants/key-contract.ts';

export const handler = route(revokeKeyContract, async ({ params }, app, request) => {
  await app.apiKeys.revoke(params.id, params.key_id, adminCall(app, request));
  return { status: 204 };
});
