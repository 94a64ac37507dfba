/** POST /admin/cache/invalidate: entries of a tenant, by keys, prefix, glob, tags, namespace, or all. 200 and counts; 202 and a job. */
import { invalidateCacheContract, selectorOf } from '../../lib/cache/invalidation/invalidate-contract.ts';
import { invalidationResult } from '../../lib/cache/invalidation/invalidation-result.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import { route } from '../../lib/http/route.ts';
import { adminCall } from '../../lib/tenants/admin-call.ts';

export const handler = route(invalidateCacheContract, async ({ body, query }, app, request) => {
  const { tenant_id: tenantId, ...fields } = body;
  const asked = { tenantId, selector: selectorOf(fields) as Selector, dry: query.dry_run === 'true' };
  return invalidationResult(await app.tenantInvalidation.invalidate(asked, adminCall(app, request)), 'admin');
});
