/** GET /jobs/{id}: long work of the caller's tenant. */
import { route } from '../../lib/http/route.ts';
import { getOwnJobContract } from '../../lib/jobs/contract.ts';

export const handler = route(getOwnJobContract, async ({ params }, { ownJobs }, { caller }) => ({
  status: 200,
  data: await ownJobs.get(caller, params.id),
}));
