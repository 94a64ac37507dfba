/** POST /admin/tenants/{id}/billing/adjustments: a credit or a charge on the next invoice. 201 and the adjustment. */
import { createAdjustmentContract } from '../../lib/billing/contract.ts';
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(createAdjustmentContract, async ({ params, body }, app, request) => ({
  status: 201,
  data: await app.billing.adjust(params.id, body, adminCall(app, request)),
}));
