/** GET /admin/jobs: a page of long work, newest first. */
import { route } from '../../lib/http/route.ts';
import { listJobsContract } from '../../lib/jobs/contract.ts';

export const handler = route(listJobsContract, async ({ query }, { jobs }, { signal }) => {
  const { tenant_id: tenantId, ...page } = query;
  return { status: 200, data: await jobs.list({ ...page, tenantId }, signal) };
});
