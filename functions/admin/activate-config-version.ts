/** POST /admin/config/versions/{version}/activate: goes to that version, for everybody or for some tenants first. */
import { route } from '../../lib/http/route.ts';
import { activateConfigVersionContract } from '../../lib/runtime-config/contract.ts';
import { reloadReply } from '../../lib/runtime-config/reload-reply.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(activateConfigVersionContract, async ({ params, query, body }, app, request) => {
  const dryRun = query.dry_run === 'true';
  const { tenant_share: share = null, note = null } = body;
  const outcome = await app.runtimeConfig.activate(params.version, { share, note, dryRun }, adminCall(app, request));
  return { status: 200, data: reloadReply(outcome, dryRun) };
});
