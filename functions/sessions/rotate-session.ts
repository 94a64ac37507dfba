/** POST /sessions/{id}/rotate: gives the session a new id; the old one is dead at once. 200 and the session without its data. */
import { route } from '../../lib/http/route.ts';
import { rotateSessionContract } from '../../lib/sessions/http/renew-contract.ts';
import { etagOf, locationOf, toFields } from '../../lib/sessions/http/session-reply.ts';
import { requireSession } from '../../lib/sessions/http/session-request.ts';

export const handler = route(rotateSessionContract, async (input, { sessions }, { caller, operationId }) => {
  const rotation = { userId: input.body.user_id, ifVersion: input.headers['if-match'] };
  const operation = operationId();
  const session = requireSession(await sessions.rotate(caller, input.params.id, rotation, { operation }));
  return {
    status: 200,
    headers: { etag: etagOf(session), location: locationOf(session) },
    data: toFields(session),
  };
});
