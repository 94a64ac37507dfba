/** POST /admin/tenants/{id}/keys: creates an API key and shows it once. 201 and the key. */
import { route } from '../../lib/http/route.ts';
import { createKeyContract } from '../../lib/tenants/key-contract.ts';

export const handler = route(createKeyContract, async ({ params, body }, { apiKeys }, { operationId, signal }) => ({
  status: 201,
  data: await apiKeys.create(params.id, body, { ulid: operationId(), signal }),
}));
