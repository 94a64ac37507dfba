/** PATCH /cache/{namespace}/{key+}?ttl_seconds=: another lifetime, from now on. 200, or 404 when there is none. */
import { touchEntryContract } from '../../lib/cache/change-contract.ts';
import { conditionOf } from '../../lib/cache/entry-call.ts';
import { NotFoundError } from '../../lib/errors.ts';
import { route } from '../../lib/http/route.ts';
import { isoOrNull } from '../../lib/iso-time.ts';

export const handler = route(touchEntryContract, async ({ params, query, headers }, { cache }, { caller }) => {
  const ifMatch = headers['if-match'];
  const condition = conditionOf(ifMatch);
  const { ttl_seconds: ttlMs, grace_seconds: graceMs } = query;
  const touched = await cache.touch(caller, params, { ttlMs, graceMs, condition });
  if (touched === null) throw new NotFoundError('entry_not_found', 'No such entry');
  const times = { expires_at: isoOrNull(touched.expiresAtMs), fresh_until: isoOrNull(touched.freshUntilMs) };
  const etag = `"${touched.etag}"`;
  return { status: 200, headers: { etag }, data: { etag, ...times } };
});
