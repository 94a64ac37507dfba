/** POST /quotas/reservations: holds part of a quota. 201 and the reservation. */
import { route } from '../../lib/http/route.ts';
import { reserveQuotaContract } from '../../lib/quotas/contract.ts';

export const handler = route(reserveQuotaContract, async ({ body }, { quotas }, { caller, operationId }) => {
  const { resource, amount, ttl_seconds } = body;
  const request = { resource, amount, ttlMs: ttl_seconds * 1_000 };
  return { status: 201, data: await quotas.reserve(caller, request, { ulid: operationId() }) };
});
