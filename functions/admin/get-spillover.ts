/** GET /admin/spillover: the memory of hot sessions, and what is in S3: of a tenant, live; or of all, as of the last pass. */
import { route } from '../../lib/http/route.ts';
import { getSpilloverContract } from '../../lib/sessions/http/spillover-contract.ts';

export const handler = route(getSpilloverContract, async ({ query }, { spillStats }, { signal }) => {
  const { tenant_id: id } = query;
  return {
    status: 200,
    data: id === undefined ? await spillStats.ofAll(signal) : await spillStats.ofTenant(id, signal),
  };
});
