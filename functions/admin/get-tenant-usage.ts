/** GET /admin/tenants/{id}/usage: what is used now, of which limits, and over time. */
import { route } from '../../lib/http/route.ts';
import { getTenantUsageContract } from '../../lib/usage/contract.ts';

export const handler = route(getTenantUsageContract, async ({ params, query }, { usage }, { signal }) => ({
  status: 200,
  data: await usage.get(params.id, { fromMs: msOf(query.from), toMs: msOf(query.to), step: query.step, signal }),
}));

const msOf = (at: string | undefined) => (at === undefined ? undefined : Date.parse(at));
