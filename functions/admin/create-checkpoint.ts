/** POST /admin/state/checkpoint: takes a checkpoint of all tenants. 202, a job and the checkpoint's id. */
import { createCheckpointContract } from '../../lib/checkpoints/http/checkpoint-contract.ts';
import { route } from '../../lib/http/route.ts';
import { jobAccepted } from '../../lib/jobs/job-accepted.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(createCheckpointContract, async ({ body }, app, request) => {
  const { job, checkpointId } = await app.stateAdmin.create(body, adminCall(app, request));
  return { ...jobAccepted(job, 'admin'), data: { job_id: job.id, checkpoint_id: checkpointId } };
});
