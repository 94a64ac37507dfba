/** GET /admin/tenants/{id}/alerts: a tenant's quota alerts with their deliveries, and its webhook. */
import { listAlertsContract } from '../../lib/alerts/contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(listAlertsContract, async ({ params }, { alerts }, { signal }) => ({
  status: 200,
  data: await alerts.list(params.id, { signal }),
}));
