/** GET /whoami: the caller's tenant, scopes, limits and what is left of them. */
import { whoAmIContract } from '../../lib/account/contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(whoAmIContract, async (_input, { account }, { caller }) => ({
  status: 200,
  data: await account.identify(caller),
}));
