/** POST /admin/cache/warm: loads entries ahead of their first read. 200 and what became of each, or 202 and a job. */
import { warmCacheContract } from '../../lib/cache/warming/warm-contract.ts';
import { route } from '../../lib/http/route.ts';
import { jobAccepted } from '../../lib/jobs/job-accepted.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(warmCacheContract, async ({ query, body }, app, request) => {
  const warmed = await app.warming.warm(body, { ...adminCall(app, request), dryRun: query.dry_run === 'true' });
  return 'job' in warmed ? jobAccepted(warmed.job, 'admin') : { status: 200, data: warmed.report };
});
