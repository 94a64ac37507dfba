/** GET /admin/config/versions: a page of the versions of the configuration, newest first. */
import { route } from '../../lib/http/route.ts';
import { listConfigVersionsContract } from '../../lib/runtime-config/contract.ts';

export const handler = route(listConfigVersionsContract, async ({ query }, { configVersions }, { signal }) => ({
  status: 200,
  data: await configVersions.list(query, signal),
}));
