/** POST /quotas/release: gives back bytes that were committed. */
import { route } from '../../lib/http/route.ts';
import { releaseQuotaContract } from '../../lib/quotas/contract.ts';

export const handler = route(releaseQuotaContract, async ({ body }, { quotas }, { caller, operationId }) => ({
  status: 200,
  data: await quotas.release(caller, body, { ulid: operationId() }),
}));
