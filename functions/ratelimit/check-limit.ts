/** POST /ratelimit/{name}: checks a limit of the tenant's own users. 200, also when it is not allowed. */
import { route } from '../../lib/http/route.ts';
import { toCheckResponse, toLimitCheck } from '../../lib/rate-limiter/check-reply.ts';
import { checkLimitContract } from '../../lib/rate-limiter/contract.ts';

export const handler = route(checkLimitContract, async ({ params, body }, { rateLimiter }, request) => {
  const check = toLimitCheck(params.name, body);
  const verdict = await rateLimiter.check(request.caller, check, { operationId: request.operationId() });
  return { status: 200, data: toCheckResponse(verdict) };
});
