/** DELETE /cache/{namespace}/{key+}: removes the entry. 204, also when there was none. */
import { deleteEntryContract } from '../../lib/cache/contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(deleteEntryContract, async ({ params, headers }, { cache }, { caller }) => {
  const ifMatch = headers['if-match'];
  await cache.delete(caller, params, ifMatch === undefined ? 'none' : ifMatch === '*' ? 'exists' : { etags: ifMatch });
  return { status: 204 };
});
