/** POST /admin/state/checkpoints/{id}/verify: reads all of a checkpoint. 202 and a job. */
import { verifyCheckpointContract } from '../../lib/checkpoints/http/checkpoint-contract.ts';
import { route } from '../../lib/http/route.ts';
import { jobAccepted } from '../../lib/jobs/job-accepted.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(verifyCheckpointContract, async ({ params }, app, request) =>
  jobAccepted(await app.stateAdmin.verify(params.id, adminCall(app, request)), 'admin'),
);
