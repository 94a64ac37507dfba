/** POST /admin/jobs/{id}/cancel: ends a job that waits or runs. 200 and the job. */
import { route } from '../../lib/http/route.ts';
import { cancelJobContract } from '../../lib/jobs/contract.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(cancelJobContract, async ({ params }, app, request) => ({
  status: 200,
  data: await app.jobs.cancel(params.id, adminCall(app, request)),
}));
