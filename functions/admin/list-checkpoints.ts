/** GET /admin/state/checkpoints: the checkpoints there are, newest first. */
import { listCheckpointsContract } from '../../lib/checkpoints/http/checkpoint-contract.ts';
import { toListReply } from '../../lib/checkpoints/http/checkpoint-reply.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(listCheckpointsContract, async ({ query }, { checkpoints }, { signal }) => ({
  status: 200,
  data: toListReply(await checkpoints.list(query, signal)),
}));
