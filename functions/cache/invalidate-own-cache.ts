/** POST /invalidate: the caller's own entries, by keys, prefix, glob, tags, namespace, or all. 200 and counts; 202 and a job. */
import { invalidateOwnCacheContract, selectorOf } from '../../lib/cache/invalidation/invalidate-contract.ts';
import { invalidationResult } from '../../lib/cache/invalidation/invalidation-result.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(invalidateOwnCacheContract, async ({ body, query }, { invalidation }, request) => {
  const selector = selectorOf(body) as Selector;
  const asked = { selector, dry: query.dry_run === 'true', ulid: request.operationId() };
  return invalidationResult(await invalidation.invalidate(request.caller, asked), 'tenant');
});
