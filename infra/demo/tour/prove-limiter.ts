/** The limiter as a service: a tenant limits its own users with it. */
import { demand, demandStatus } from '../claims.ts';
import type { DemoTenant } from '../tenant.ts';
import { type Act, AMPLE_OPERATIONS } from './stage.ts';

const LIMIT = 5;
const WINDOW_MS = 60_000;
const CALLERS = 12;

export const proveLimiter: Act = {
  title: 'The limiter as a service',
  async run({ cast }) {
    const tenant = await cast.create({ name: 'shop', plan: 'starter', quotas: AMPLE_OPERATIONS });
    const replies = await Promise.all(Array.from({ length: CALLERS }, () => check(tenant, 'user-1')));
    const allowed = replies.filter((reply) => reply.allowed);
    demand(allowed.length === LIMIT, `Of ${CALLERS} logins at once ${allowed.length} were allowed, not ${LIMIT}`);
    for (const { retry_after_ms } of replies.filter((reply) => !reply.allowed)) {
      const isRight = retry_after_ms !== null && retry_after_ms > 0 && retry_after_ms <= WINDOW_MS;
      demand(isRight, `A login that is not allowed is told to wait ${retry_after_ms} ms`);
    }
    const other = await check(tenant, 'user-2');
    demand(other.allowed && other.remaining === LIMIT - 1, 'The limit of one user is not that of another');
    return {
      shown: [
        `The limiter of the tenant's own users: of ${CALLERS} logins of user-1 at once ${LIMIT} are allowed; user-2 is not in the way`,
      ],
    };
  },
};

async function check({ client }: DemoTenant, identifier: string) {
  const body = { identifier, limit: LIMIT, window_ms: WINDOW_MS };
  const reply = await client.checkLimit({ params: { name: 'logins' }, body });
  demandStatus(reply, 200, `Check the limit of ${identifier}`);
  return reply.data;
}
