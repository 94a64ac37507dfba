/** GET /cache/{namespace}/{key+}: the value with its content type; 304 when the caller has it; 303 when it is too large. */
import { getEntryContract } from '../../lib/cache/contract.ts';
import { leaseOptionsOf, readOptionsOf, toGetReply, toLeaseReply } from '../../lib/cache/get-reply.ts';
import { MAX_BODY_BYTES } from '../../lib/http/event.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(getEntryContract, async (input, { cache, config }, { caller, event }) => {
  const { params, query } = input;
  const reply = { maxBytes: MAX_BODY_BYTES, linkInHeader: query.large === 'link' };
  if (query.lease_ms === undefined) {
    return toGetReply(await cache.getOrLink(caller, params, { ...readOptionsOf(input), ...reply }), reply);
  }
  const options = leaseOptionsOf(input, query.lease_ms, config.cache.maxLeaseMs);
  const read = await cache.getOrLease(caller, params, options);
  const linked = await cache.linkLarge(caller, read, reply);
  return toLeaseReply(linked, event.requestContext?.requestId ?? 'none', reply);
});
