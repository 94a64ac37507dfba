/** POST /quotas/reservations/{id}/commit: counts what was used and gives back the rest. */
import { route } from '../../lib/http/route.ts';
import { commitReservationContract } from '../../lib/quotas/contract.ts';

export const handler = route(commitReservationContract, async ({ params, body }, { quotas }, request) => ({
  status: 200,
  data: await quotas.commit(request.caller, params.id, body.amount, { ulid: request.operationId() }),
}));
