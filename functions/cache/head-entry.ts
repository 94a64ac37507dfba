/** HEAD /cache/{namespace}/{key+}: what is known of the value, without it. */
import { headEntryContract } from '../../lib/cache/contract.ts';
import { entryHeaders } from '../../lib/cache/entry-headers.ts';
import { NotFoundError } from '../../lib/errors.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(headEntryContract, async ({ params, query }, { cache }, { caller }) => {
  const entry = await cache.head(caller, params, { stale: query.stale === 'allow' });
  if (entry === null) throw new NotFoundError('entry_not_found', 'No such entry');
  return { status: 200, headers: entryHeaders(entry), contentLength: entry.rawBytes };
});
