/** DELETE /sessions/{id}: ends the session for good. 204; a dry run: 200 and what it would end. */
import { route } from '../../lib/http/route.ts';
import { deleteSessionContract } from '../../lib/sessions/http/end-contract.ts';
import { requireSession } from '../../lib/sessions/http/session-request.ts';

export const handler = route(deleteSessionContract, async ({ params, query }, { sessions }, { caller }) => {
  if (query.dry_run === 'true') {
    const found = requireSession(await sessions.previewTerminate(caller, params.id));
    return { status: 200, data: { would_terminate: found.terminated } };
  }
  requireSession((await sessions.terminate(caller, params.id)) || null);
  return { status: 204 };
});
