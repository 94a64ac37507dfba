/** POST /cache/{namespace}/{key+}?increment=n: adds to a number. 200 and the number after it. */
import { incrementEntryContract } from '../../lib/cache/change-contract.ts';
import { route } from '../../lib/http/route.ts';
import { isoOrNull } from '../../lib/iso-time.ts';

export const handler = route(incrementEntryContract, async ({ params, query }, { cache }, { caller, operationId }) => {
  const { increment, ttl_seconds: ttlMs, grace_seconds: graceMs } = query;
  const options = { ttlMs, graceMs, operation: operationId() };
  const { value, created, ...left } = await cache.increment(caller, params, increment, options);
  const etag = `"${left.etag}"`;
  const times = { expires_at: isoOrNull(left.expiresAtMs), fresh_until: isoOrNull(left.freshUntilMs) };
  return { status: 200, headers: { etag }, data: { value, created, etag, ...times } };
});
