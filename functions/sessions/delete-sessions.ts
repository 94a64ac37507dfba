/** DELETE /sessions?user_id=: ends the sessions a user has now. 200 and how many; a dry run: how many it would be. */
import { route } from '../../lib/http/route.ts';
import { deleteSessionsContract } from '../../lib/sessions/http/end-contract.ts';

export const handler = route(deleteSessionsContract, async ({ query }, { sessions }, { caller }) => {
  const { user_id: userId, except, dry_run } = query;
  const dry = dry_run === 'true';
  const { terminated, more } = await sessions.terminateUser(caller, userId, { except, dry });
  return { status: 200, data: dry ? { would_terminate: terminated, more } : { terminated, more } };
});
