/** POST /admin/spillover/run: moves sessions to S3 now, as the schedule does; or only tells what would be moved. */
import { route } from '../../lib/http/route.ts';
import { runSpilloverContract } from '../../lib/sessions/http/spillover-contract.ts';
import { toRunReply } from '../../lib/sessions/http/spillover-reply.ts';

export const handler = route(runSpilloverContract, async ({ query }, { spillPass }, { signal }) => {
  const dry = query.dry_run === 'true';
  return { status: 200, data: toRunReply(await spillPass.run({ dry, signal }), dry) };
});
