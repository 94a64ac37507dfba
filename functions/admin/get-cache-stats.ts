/** GET /admin/cache/stats: of a tenant, live and over time; or of all, as of the last sum. */
import { getCacheStatsContract } from '../../lib/cache/stats/stats-contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(getCacheStatsContract, async ({ query }, { cacheStats }, { signal }) => {
  const { tenant_id: id, from, to, interval } = query;
  if (id === undefined) return { status: 200, data: await cacheStats.ofAll(signal) };
  const asked = { fromMs: msOf(from), toMs: msOf(to), step: interval };
  return { status: 200, data: await cacheStats.ofTenant(id, asked, signal) };
});

const msOf = (at: string | undefined) => (at === undefined ? undefined : Date.parse(at));
