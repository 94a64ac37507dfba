/** GET /health/ready: whether the service can do its work, and which component is missing. */
import { checkReadyContract } from '../../lib/health/contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(checkReadyContract, async (_input, { health }) => {
  const data = await health.ready();
  return data.status === 'unavailable' ? { status: 503, headers: { 'retry-after': '1' }, data } : { status: 200, data };
});
