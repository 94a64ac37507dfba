/** Loading through the cache, and giving a lease back. */
import { expect } from 'vitest';
import { newTenant } from '../app.ts';
import { auditTenant } from '../audit-tenant.ts';
import type { Flow } from './flow.ts';

const name = { namespace: 'ns', key: 'k' };
const value = Buffer.from('a value');
/** Short: the lease of a call whose answer nobody saw runs out. */
const leaseMs = 50;

/** An instance that does not know the tenant: its first trip only learns the context. */
const loadEntry: Flow = {
  name: 'load entry',
  calls: ['lease-cache-entry', 'lease-cache-entry', 'set-cache-entry'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    const load = async () => ({ value, meta: { content_type: 'text/plain' }, ttlMs: 60_000 });
    return {
      run: (signal) => app.cache.getOrSet({ ...caller, signal }, name, load, { leaseMs, whenWaitEnds: 'throw' }),
      async verify(result) {
        expect(result).toMatchObject({ value, stale: false, notStored: null });
        expect(await direct.cache.get(caller, name)).toMatchObject({ value });
        expect(await auditTenant(direct, tenant.id)).toBe(1);
      },
    };
  },
};

const giveBack: Flow = {
  name: 'give a lease back',
  calls: ['release-cache-lease', 'release-cache-lease'],
  async prepare(app, direct) {
    const { caller } = await newTenant(direct);
    const { lease } = await direct.cache.getOrLease(caller, name, { leaseMs: 60_000, earlyShare: 0 });
    const token = lease.state === 'granted' ? lease.token : '';
    return {
      run: (signal) => app.cache.releaseLease({ ...caller, signal }, name, token),
      async verify() {
        const next = await direct.cache.getOrLease(caller, name, { leaseMs, earlyShare: 0 });
        expect(next.lease.state).toBe('granted');
      },
    };
  },
};

export const leaseFlows: readonly Flow[] = [loadEntry, giveBack];
