/** DELETE /cache/{namespace}/{key+}: removes the entry. 204, also when there was none; a dry run: 200 and what it would remove. */
import { deleteEntryContract } from '../../lib/cache/delete-contract.ts';
import { requireOnlyLease } from '../../lib/cache/delete-request.ts';
import { conditionOf } from '../../lib/cache/entry-call.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(deleteEntryContract, async ({ params, query, headers }, { cache }, { caller }) => {
  const { 'if-match': ifMatch, 'riptide-lease': lease } = headers;
  const condition = conditionOf(ifMatch);
  if (lease !== undefined) {
    requireOnlyLease({ query, headers });
    await cache.releaseLease(caller, params, lease);
    return { status: 204 };
  }
  if (query.dry_run === 'true') return { status: 200, data: await cache.previewDelete(caller, params, condition) };
  await cache.delete(caller, params, condition);
  return { status: 204 };
});
