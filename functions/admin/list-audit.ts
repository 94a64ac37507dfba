/** GET /admin/audit: a page of the audit log, newest first; as JSON or NDJSON. */
import { listAuditContract } from '../../lib/audit/contract.ts';
import { pageReply, wantsLines } from '../../lib/audit/page-reply.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(listAuditContract, async ({ query, headers }, { audit }, { signal }) => {
  const { limit, order, cursor: after, tenant_id: tenantId, action, format } = query;
  const page = await audit.list({ limit, order, after, tenantId, action, signal });
  return pageReply(page, wantsLines(format, headers.accept));
});
