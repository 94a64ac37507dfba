/** POST /sessions: makes a session. 201, its path and the session. */
import { route } from '../../lib/http/route.ts';
import { createSessionContract } from '../../lib/sessions/http/create-contract.ts';
import { etagOf, locationOf, toBody } from '../../lib/sessions/http/session-reply.ts';
import { msOf, valueTexts } from '../../lib/sessions/http/session-request.ts';

export const handler = route(createSessionContract, async ({ body }, { sessions }, { caller, event, operationId }) => {
  const { id, user_id: userId, metadata, ttl_seconds: ttl, max_lifetime_seconds: life } = body;
  const lifetimes = { ttlMs: msOf(ttl), maxLifetimeMs: msOf(life) };
  const data = valueTexts(event, 'data');
  const operation = operationId();
  const session = await sessions.create(caller, { id, userId, metadata, ...lifetimes, data }, { operation });
  return { status: 201, headers: { etag: etagOf(session), location: locationOf(session) }, bytes: toBody(session) };
});
