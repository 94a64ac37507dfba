/** POST /admin/spillover: changes when and how sessions are moved to S3, by a version of the configuration. */
import { route } from '../../lib/http/route.ts';
import { updateSpilloverContract } from '../../lib/runtime-config/contract.ts';
import { reloadReply } from '../../lib/runtime-config/reload-reply.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(updateSpilloverContract, async ({ query, body }, app, request) => {
  const dryRun = query.dry_run === 'true';
  const { note, tenant_share, ...spillover } = body;
  const asked = { settings: { spillover }, note, tenant_share };
  const outcome = await app.configReload.reload(asked, adminCall(app, request), dryRun);
  return { status: 200, data: reloadReply(outcome, dryRun) };
});
