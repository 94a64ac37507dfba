/** DELETE /sessions/{id}/data/{key+}: removes one data key, also when there is none. 200 and the version after it. */
import { route } from '../../lib/http/route.ts';
import { deleteSessionDataContract } from '../../lib/sessions/http/data-contract.ts';
import { toChangeReply } from '../../lib/sessions/http/session-reply.ts';
import { requireSession } from '../../lib/sessions/http/session-request.ts';

export const handler = route(deleteSessionDataContract, async ({ params, headers }, { sessions }, { caller }) => {
  const change = { remove: [params.key], ifVersion: headers['if-match'] };
  return toChangeReply(requireSession(await sessions.update(caller, params.id, change)));
});
