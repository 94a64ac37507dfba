/** GET /admin/tenants/{id}/erasure: where the erasure of a deleted tenant stands. 200 with its receipt once it is done. */
import { getErasureContract } from '../../lib/erasure/contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(getErasureContract, async ({ params }, { erasure }, { signal }) => ({
  status: 200,
  data: await erasure.get(params.id, signal),
}));
