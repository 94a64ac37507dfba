/** Flows of the limiter and of a tenant's idempotent calls, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { newUlid } from '../../../lib/ids.ts';
import { newTenant } from '../app.ts';
import { auditRecords } from '../audit-tenant.ts';
import { limitState } from '../limit-state.ts';
import type { Flow } from './flow.ts';

const how = { name: 'logins', identifier: 'user-1', limit: 5, windowMs: 3_600_000 };

function limitFlow(name: string, change: { readonly cost: number }, before: number, after: number): Flow {
  return {
    name,
    calls: ['check-limit', 'check-limit'],
    async prepare(app, direct) {
      const { tenant, caller } = await newTenant(direct);
      for (let i = 0; i < before; i++) await direct.rateLimiter.check(caller, how);
      const operationId = newUlid(Date.now());
      return {
        run: (signal) => app.rateLimiter.check({ ...caller, signal }, { ...how, ...change }, { operationId }),
        async verify(result) {
          expect(result).toMatchObject({ remaining: 5 - after });
          expect(await auditRecords(direct, tenant.id)).toEqual({ c: 0, l: after === 0 ? 0 : 1, i: 0, s: 0 });
          const state = await limitState(direct, tenant.id, how.name, how.identifier).read();
          expect(state?.used ?? 0n).toBe(BigInt(after));
        },
      };
    },
  };
}

/** A call that checks a limit: the check is counted once, however often either is begun. */
const tenantCall: Flow = {
  name: 'idempotent call of a tenant',
  calls: ['begin-tenant-call', 'begin-tenant-call', 'check-limit', 'end-tenant-call'],
  async prepare(app, direct) {
    const { tenant, caller, key } = await newTenant(direct);
    const call = { caller: key, idempotencyKey: newUlid(Date.now()), route: 'POST /ratelimit/logins', body: '{}' };
    const check = async (operationId: string, signal: AbortSignal) => ({
      status: 200,
      data: await app.rateLimiter.check({ ...caller, signal }, how, { operationId }),
    });
    const run = (using: App, signal: AbortSignal) =>
      using.idempotency.run(
        {
          ...call,
          tenant: { caller: { ...caller, signal }, scope: 'ratelimit:check' },
          operationId: newUlid(Date.now()),
          leaseMs: 20,
          signal,
        },
        (operationId) => check(operationId, signal),
      );
    return {
      run: (signal) => run(app, signal),
      async verify(result) {
        expect(result).toMatchObject({ status: 200, data: { allowed: true, remaining: 4 } });
        expect(await auditRecords(direct, tenant.id)).toEqual({ c: 0, l: 1, i: 1, s: 0 });
        const again = (await run(direct, new AbortController().signal)) as { headers?: object };
        expect(again.headers).toMatchObject({ 'idempotency-status': 'replayed' });
      },
    };
  },
};

export const limiterFlows: readonly Flow[] = [
  limitFlow('check a limit', { cost: 2 }, 0, 2),
  limitFlow('check a limit that is used up', { cost: 1 }, 5, 5),
  limitFlow('look at a limit', { cost: 0 }, 3, 3),
  tenantCall,
];
