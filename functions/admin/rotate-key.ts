/** POST /admin/tenants/{id}/keys/{key_id}/rotate: a new key in the place of an old one, shown once. 201 and the key. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { rotateKeyContract } from '../../lib/tenants/key-contract.ts';
import { requireToCome } from '../../lib/tenants/key-end.ts';

export const handler = route(rotateKeyContract, async ({ params, body }, app, request) => {
  requireToCome(body.expires_at, Date.now());
  return { status: 201, data: await app.apiKeys.rotate(params.id, params.key_id, body, adminCall(app, request)) };
});
