/** PUT /cache/{namespace}/{key+}: stores the body, byte for byte. 201 when new, else 200. */
import { putEntryContract } from '../../lib/cache/put-contract.ts';
import { readPut, toPutResponse } from '../../lib/cache/put-request.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(putEntryContract, async (input, { cache }, { caller }) => {
  const outcome = await cache.set(caller, input.params, readPut(input));
  return {
    status: outcome.created ? 201 : 200,
    headers: { etag: `"${outcome.etag}"` },
    data: toPutResponse(outcome),
  };
});
