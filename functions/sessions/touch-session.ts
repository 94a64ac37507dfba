/** POST /sessions/{id}/touch: has the session live on. 200 and until when. */
import { route } from '../../lib/http/route.ts';
import { isoOf } from '../../lib/iso-time.ts';
import { touchSessionContract } from '../../lib/sessions/http/renew-contract.ts';
import { etagOf } from '../../lib/sessions/http/session-reply.ts';
import { msOf, requireSession } from '../../lib/sessions/http/session-request.ts';

export const handler = route(touchSessionContract, async ({ params, body }, { sessions }, { caller }) => {
  const touched = requireSession(await sessions.touch(caller, params.id, { ttlMs: msOf(body.ttl_seconds) }));
  const { version, expiresAtMs, lastAccessedAtMs } = touched;
  const data = { version, expires_at: isoOf(expiresAtMs), last_accessed_at: isoOf(lastAccessedAtMs) };
  return { status: 200, headers: { etag: etagOf(touched) }, data };
});
