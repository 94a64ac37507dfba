/** POST /quotas/reservations/{id}/refund: gives back the whole reservation. */
import { route } from '../../lib/http/route.ts';
import { refundReservationContract } from '../../lib/quotas/contract.ts';

export const handler = route(refundReservationContract, async ({ params }, { quotas }, { caller, operationId }) => ({
  status: 200,
  data: await quotas.refund(caller, params.id, { ulid: operationId() }),
}));
