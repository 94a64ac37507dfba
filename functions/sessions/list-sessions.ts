/** GET /sessions?user_id=: a page of a user's sessions, without their data. */
import { route } from '../../lib/http/route.ts';
import { listSessionsContract } from '../../lib/sessions/http/list-contract.ts';
import { toPage } from '../../lib/sessions/http/session-reply.ts';

export const handler = route(listSessionsContract, async ({ query }, { sessions }, { caller }) => {
  const { user_id: userId, cursor, limit } = query;
  return { status: 200, data: toPage(await sessions.list(caller, userId, { cursor, limit })) };
});
