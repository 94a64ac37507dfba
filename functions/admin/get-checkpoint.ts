/** GET /admin/state/checkpoints/{id}: what is in a checkpoint, and whether it was found sound. */
import { getCheckpointContract } from '../../lib/checkpoints/http/checkpoint-contract.ts';
import { toCheckpointReply } from '../../lib/checkpoints/http/checkpoint-reply.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(getCheckpointContract, async ({ params, query }, app, { signal }) => {
  const manifest = await app.checkpoints.get(params.id, signal);
  return { status: 200, data: toCheckpointReply(manifest, await app.stateAdmin.verdict(params.id, signal), query) };
});
