/** GET /health/live: whether the service runs; asks nothing else. */
import { checkLiveContract } from '../../lib/health/contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(checkLiveContract, async () => ({ status: 200, data: { status: 'live' } }));
