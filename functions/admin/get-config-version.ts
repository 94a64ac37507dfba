/** GET /admin/config/versions/{version}: what a version of the configuration states, and what activating it would change. */
import { route } from '../../lib/http/route.ts';
import { getConfigVersionContract } from '../../lib/runtime-config/contract.ts';

export const handler = route(getConfigVersionContract, async ({ params }, { configVersions }, { signal }) => ({
  status: 200,
  data: await configVersions.get(params.version, signal),
}));
