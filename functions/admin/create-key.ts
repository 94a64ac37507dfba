/** POST /admin/tenants/{id}/keys: creates an API key and shows it once. 201 and the key. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { createKeyContract } from '../../lib/tenants/key-contract.ts';
import { requireToCome } from '../../lib/tenants/key-end.ts';

export const handler = route(createKeyContract, async ({ params, body }, app, request) => {
  requireToCome(body.expires_at, Date.now());
  return { status: 201, data: await app.apiKeys.create(params.id, body, adminCall(app, request)) };
});
