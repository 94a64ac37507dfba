/** GET /cache/{namespace}/{key+}: the value with its content type; 304 when the caller has it. */
import { getEntryContract } from '../../lib/cache/contract.ts';
import { entryHeaders } from '../../lib/cache/entry-headers.ts';
import { NotFoundError } from '../../lib/errors.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(getEntryContract, async ({ params, headers }, { cache }, { caller }) => {
  const ifNoneMatch = headers['if-none-match'];
  const entry = await cache.get(caller, params, ifNoneMatch === undefined ? {} : { ifNoneMatch });
  if (entry === null) throw new NotFoundError('entry_not_found', 'No such entry');
  if ('unchanged' in entry) return { status: 304, headers: entryHeaders(entry) };
  return { status: 200, headers: entryHeaders(entry), bytes: entry.value };
});
