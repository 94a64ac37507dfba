/** POST /admin/state/reload: changes the configuration of running instances, or only tells what would change. */
import { route } from '../../lib/http/route.ts';
import { reloadStateContract } from '../../lib/runtime-config/contract.ts';
import { reloadReply } from '../../lib/runtime-config/reload-reply.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(reloadStateContract, async ({ query, body }, app, request) => {
  const dryRun = query.dry_run === 'true';
  const outcome = await app.configReload.reload(body, adminCall(app, request), dryRun);
  return { status: 200, data: reloadReply(outcome, dryRun) };
});
