/** A tenant's own policies: what is denied is refused from the next request on, whatever else allows it. */
import { demandRefusal, demandStatus } from '../claims.ts';
import type { DemoTenant } from '../tenant.ts';
import { type Act, AMPLE_OPERATIONS } from './stage.ts';

const ALL = { effect: 'allow' as const, actions: ['*'], resources: ['*'] };
const FROZEN = { effect: 'deny' as const, actions: ['cache:write'], resources: ['cache/frozen/*'] };

export const provePolicies: Act = {
  title: 'Policies',
  async run({ cast }) {
    const tenant = await cast.create({ name: 'archive', plan: 'starter', quotas: AMPLE_OPERATIONS });
    const setPolicies = async (statements: (typeof ALL | typeof FROZEN)[]) => {
      const reply = await cast.admin.putPolicies({ params: { id: tenant.id }, body: { statements } });
      demandStatus(reply, 200, `Set ${statements.length} policies`);
    };
    demandStatus(await put(tenant, 'frozen'), 201, 'Writing before there is a policy');
    await setPolicies([ALL, FROZEN]);
    const denied = { status: 403, code: 'access_denied' };
    demandRefusal(await put(tenant, 'frozen'), denied, 'Writing what a policy denies and another allows');
    demandStatus(await put(tenant, 'open'), 201, 'Writing beside it');
    const read = await tenant.client.getEntry({ params: { namespace: 'frozen', key: 'page' } });
    demandStatus(read, 200, 'Reading what must not be written');
    await setPolicies([]);
    demandStatus(await put(tenant, 'frozen'), 200, 'Writing after the policy was taken away');
    return {
      shown: [
        'A policy that denies beats one that allows, from the next request on: 403 for the write, the read is served',
      ],
    };
  },
};

const put = ({ client }: DemoTenant, namespace: string) =>
  client.putEntry({ params: { namespace, key: 'page' }, query: { ttl_seconds: 3_600 }, body: 'a page' });
