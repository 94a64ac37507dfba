/** POST /admin/state/restore/{id}: brings data back as it was; or tells what that would change. 202 and a job. */
import { restoreCheckpointContract } from '../../lib/checkpoints/http/restore-contract.ts';
import { route } from '../../lib/http/route.ts';
import { jobAccepted } from '../../lib/jobs/job-accepted.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(restoreCheckpointContract, async ({ params, query, body }, app, request) => {
  const dryRun = query.dry_run === 'true';
  return jobAccepted(await app.stateAdmin.restore(params.id, { ...body, dryRun }, adminCall(app, request)), 'admin');
});
