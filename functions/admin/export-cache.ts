/** POST /admin/cache/export: writes the entries of a namespace to S3. 202 and a job. */
import { exportCacheContract } from '../../lib/cache/exports/export-contract.ts';
import { route } from '../../lib/http/route.ts';
import { jobAccepted } from '../../lib/jobs/job-accepted.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(exportCacheContract, async ({ body }, app, request) =>
  jobAccepted(await app.warming.export(body, adminCall(app, request)), 'admin'),
);
