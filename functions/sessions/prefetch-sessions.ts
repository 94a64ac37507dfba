/** POST /sessions/prefetch: brings sessions back from S3 before they are read: by their ids, or a user's. */
import { route } from '../../lib/http/route.ts';
import { prefetchSessionsContract } from '../../lib/sessions/http/prefetch-contract.ts';

export const handler = route(prefetchSessionsContract, async ({ body }, { sessions }, { caller }) => {
  const { ids = [], user_id: userId } = body;
  const items =
    userId === undefined ? await sessions.prefetch(caller, ids) : await sessions.prefetchUser(caller, userId);
  return { status: 200, data: { items } };
});
