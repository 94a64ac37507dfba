/** PATCH /sessions/{id}/data: sets and removes some data keys, in one step. 200 and the version after it. */
import { route } from '../../lib/http/route.ts';
import { updateSessionDataContract } from '../../lib/sessions/http/data-contract.ts';
import { toChangeReply } from '../../lib/sessions/http/session-reply.ts';
import { requireSession, valueTexts } from '../../lib/sessions/http/session-request.ts';

export const handler = route(updateSessionDataContract, async (input, { sessions }, { caller, event, operationId }) => {
  const { params, headers, body } = input;
  const change = { set: valueTexts(event, 'set'), remove: body.remove, ifVersion: headers['if-match'] };
  const operation = operationId();
  return toChangeReply(requireSession(await sessions.update(caller, params.id, change, { operation })));
});
