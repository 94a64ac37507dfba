/** GET /admin/tenants/{id}/billing: a month's invoice, closed or so far; as JSON or as a table. */
import { billingReply } from '../../lib/billing/billing-reply.ts';
import { getTenantBillingContract } from '../../lib/billing/contract.ts';
import { parsePeriod } from '../../lib/gate/period.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(getTenantBillingContract, async ({ params, query }, { billing }, { signal }) => {
  const period = parsePeriod(query.period ?? '') ?? undefined;
  return billingReply(
    await billing.get(params.id, { period, simulatePlan: query.simulate_plan, signal }),
    query.format,
  );
});
