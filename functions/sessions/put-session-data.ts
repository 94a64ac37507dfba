/** PUT /sessions/{id}/data/{key+}: sets one data key to the body, which is JSON. 200 and the version after it. */
import { readJsonText } from '../../lib/http/json-value.ts';
import { route } from '../../lib/http/route.ts';
import { putSessionDataContract } from '../../lib/sessions/http/data-contract.ts';
import { toChangeReply } from '../../lib/sessions/http/session-reply.ts';
import { requireSession } from '../../lib/sessions/http/session-request.ts';

export const handler = route(putSessionDataContract, async ({ params, headers }, { sessions }, { caller, event }) => {
  const set = new Map([[params.key, readJsonText(event)]]);
  return toChangeReply(
    requireSession(await sessions.update(caller, params.id, { set, ifVersion: headers['if-match'] })),
  );
});
