/** GET /sessions/{id}: the session with its data; 304 when the caller has this version. */
import { route } from '../../lib/http/route.ts';
import { isoOf } from '../../lib/iso-time.ts';
import { getSessionContract } from '../../lib/sessions/http/get-contract.ts';
import { etagOf, toBody } from '../../lib/sessions/http/session-reply.ts';
import { requireSession } from '../../lib/sessions/http/session-request.ts';

export const handler = route(getSessionContract, async ({ params, query, headers }, { sessions }, { caller }) => {
  const session = requireSession(await sessions.get(caller, params.id, { touch: query.touch !== 'false' }));
  const known = headers['if-none-match'] ?? [];
  const facts = { etag: etagOf(session), 'riptide-expires-at': isoOf(session.expiresAtMs) };
  if (known === '*' || known.includes(session.version)) return { status: 304, headers: facts };
  return { status: 200, headers: facts, bytes: toBody(session) };
});
