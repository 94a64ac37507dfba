/** DELETE /admin/tenants/{id}/keys/{key_id}: revokes the key. 204, also when it was before. A dry run: 200, the key as it is. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { revokeKeyContract } from '../../lib/tenants/key-contract.ts';

export const handler = route(revokeKeyContract, async ({ params, query }, app, request) => {
  if (query.dry_run === 'true')
    return { status: 200, data: await app.apiKeyList.get(params.id, params.key_id, request.signal) };
  await app.apiKeys.revoke(params.id, params.key_id, adminCall(app, request));
  return { status: 204 };
});
