/** POST /admin/tenants/{id}/alerts/test: sends a test message to the tenant's webhook, and tells what it answered. */
import { sendTestAlertContract } from '../../lib/alerts/contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(sendTestAlertContract, async ({ params }, { alerts }, { operationId, signal }) => ({
  status: 200,
  data: await alerts.sendTest(params.id, { ulid: operationId(), signal }),
}));
