/** GET /admin/jobs/{id}: long work, how far it is, what it came to. */
import { route } from '../../lib/http/route.ts';
import { getJobContract } from '../../lib/jobs/contract.ts';

export const handler = route(getJobContract, async ({ params }, { jobs }, { signal }) => ({
  status: 200,
  data: await jobs.get(params.id, signal),
}));
