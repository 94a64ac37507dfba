/** GET /quotas: what is used, held and left of every quota, and whether more would fit. */
import { route } from '../../lib/http/route.ts';
import { getQuotasContract } from '../../lib/quotas/contract.ts';

export const handler = route(getQuotasContract, async ({ query }, { quotas }, { caller }) => ({
  status: 200,
  data: await quotas.overview(caller, query),
}));
