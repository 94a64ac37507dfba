/** POST /admin/tenants/{id}/keys: creates an API key and shows it once. 201 and the key. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { createKeyContract } from '../../lib/tenants/key-contract.ts';

export const handler = route(createKeyContract, async ({ params, body }, app, request) => ({
  status: 201,
  data: await app.apiKeys.create(params.id, body, adminCall(app, request)),
}));
