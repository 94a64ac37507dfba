/** DELETE /admin/tenants/{id}: deletes the tenant, until it is erased; or says what that would erase. */
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';
import { deleteTenantContract } from '../../lib/tenants/update-contract.ts';

export const handler = route(deleteTenantContract, async ({ params, query, headers }, app, request) => {
  const undoMs = query.undo_seconds === undefined ? null : query.undo_seconds * 1_000;
  const options = { ...adminCall(app, request), ifMatch: headers['if-match'], undoMs };
  const { tenantAdmin } = app;
  const asked = query.dry_run === 'true' ? tenantAdmin.previewRemoval : tenantAdmin.remove;
  return { status: 200, data: await asked(params.id, options) };
});
