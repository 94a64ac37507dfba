/** GET /cache/{namespace}: a page of its entries, without their values. */
import { headFields } from '../../lib/cache/batch/batch-request.ts';
import { listEntriesContract } from '../../lib/cache/list-contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(listEntriesContract, async ({ params, query }, { cache }, { caller }) => {
  const { prefix = '', limit, cursor } = query;
  const { items, nextCursor } = await cache.list(caller, params.namespace, { prefix, limit, cursor });
  const listed = items.map(({ key, head }) => ({ key, ...headFields(head) }));
  return { status: 200, data: { items: listed, next_cursor: nextCursor } };
});
