/** Flows of quotas, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { meterCarriedWork } from '../../../lib/gate/carried-work.ts';
import { newUlid } from '../../../lib/ids.ts';
import type { Resource } from '../../../lib/quotas/quota-state.ts';
import { newTenant } from '../app.ts';
import { gateState } from '../gate-state.ts';
import { auditHolds, openHolds, passTime } from '../hold-state.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const AMOUNT = 100;

const reserve = (resource: Resource): Flow => ({
  name: `reserve ${resource}`,
  calls: ['reserve-quota', 'reserve-quota'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.quotas.reserve({ ...caller, signal }, { resource, amount: AMOUNT }, { ulid }),
      async verify(result) {
        expect(result).toMatchObject({ id: `hold-${ulid}`, resource, amount: AMOUNT });
        expect(await openHolds(direct, tenant.id)).toMatchObject([{ id: `hold-${ulid}`, amount: AMOUNT }]);
        await auditHolds(direct, tenant.id);
        const { ops } = await gateState(direct, tenant.id).meter();
        expect(ops).toBe(resource === 'operations_per_minute' ? 100n : 1n);
      },
    };
  },
});

/** Ends a reservation of storage, of which `used` was used. */
const settle = (name: string, used: number, run: (app: App, caller: Caller, id: string) => Promise<unknown>): Flow => ({
  name: `${name} reservation`,
  calls: ['settle-quota', 'settle-quota'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    const { id } = await direct.quotas.reserve(caller, { resource: 'storage_bytes', amount: AMOUNT });
    return {
      run: (signal) => run(app, { ...caller, signal }, id),
      async verify(result) {
        expect(result).toMatchObject({ id, reserved: AMOUNT, committed: used, used, held: 0 });
        expect(await auditHolds(direct, tenant.id)).toMatchObject({ storageBytes: 0, committedStorageBytes: used });
        expect(await gateState(direct, tenant.id).meter()).toMatchObject({ storage: BigInt(used), ops: 2n });
      },
    };
  },
});

const [COMMIT, REFUND] = [newUlid(Date.now()), newUlid(Date.now())];

const release: Flow = {
  name: 'release quota',
  calls: ['release-quota', 'release-quota'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    const { id } = await direct.quotas.reserve(caller, { resource: 'memory_bytes', amount: AMOUNT });
    await direct.quotas.commit(caller, id, AMOUNT);
    const request = { resource: 'memory_bytes', amount: 60 } as const;
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.quotas.release({ ...caller, signal }, request, { ulid }),
      async verify(result) {
        expect(result).toMatchObject({ released: 60, used: 40 });
        expect(await auditHolds(direct, tenant.id)).toMatchObject({ committedMemoryBytes: 40 });
        expect(await gateState(direct, tenant.id).meter()).toMatchObject({ memory: 40n, ops: 3n });
      },
    };
  },
};

const checkQuota: Flow = {
  name: 'check quota',
  calls: ['HMGET'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    await direct.quotas.reserve(caller, { resource: 'storage_bytes', amount: AMOUNT });
    return {
      run: (signal) => app.quotas.check(tenant.id, { resource: 'storage_bytes', signal }),
      verify: async (result) => expect(result).toMatchObject({ allowed: true, used: 0, held: AMOUNT }),
    };
  },
};

const overview: Flow = {
  name: 'overview of quotas',
  calls: ['check-key', 'check-key'],
  async prepare(app, direct) {
    const { caller } = await newTenant(direct);
    await direct.quotas.reserve(caller, { resource: 'storage_bytes', amount: AMOUNT });
    return {
      run: (signal) => app.quotas.overview({ ...caller, signal }),
      verify: async (result) => expect(result).toMatchObject({ quotas: { storage_bytes: { held: AMOUNT } } }),
    };
  },
};

const freeAbandoned: Flow = {
  name: 'free abandoned reservations',
  calls: ['ZRANGE', 'ZCOUNT', 'free-abandoned-holds'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    for (const resource of ['memory_bytes', 'operations_per_minute'] as const)
      await direct.quotas.reserve(caller, { resource, amount: AMOUNT });
    await passTime(direct, tenant.id);
    await direct.quotas.reserve(caller, { resource: 'memory_bytes', amount: 7 });
    return {
      run: (signal) => app.abandonedHolds.run(signal),
      async verify() {
        expect(await openHolds(direct, tenant.id)).toHaveLength(1);
        expect(await auditHolds(direct, tenant.id)).toMatchObject({ memoryBytes: 7 });
      },
    };
  },
};

const meterCarried: Flow = {
  name: 'meter what a stop would lose',
  calls: ['meter-carried'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    app.gate.takeCarried();
    app.gate.carry(caller.tenantId, 1_000);
    return {
      run: (signal) => meterCarriedWork({ ...app, keys: keysOf(app) }, signal),
      async verify(result) {
        // At most once: of a lost reply nobody knows.
        const { computeUs, ops } = await gateState(direct, tenant.id).meter();
        expect([result === 1 ? [1_000n] : [0n, 1_000n], ops]).toEqual([expect.arrayContaining([computeUs]), 0n]);
      },
    };
  },
};

export const quotaFlows: readonly Flow[] = [
  reserve('memory_bytes'),
  reserve('operations_per_minute'),
  settle('commit', 30, (app, caller, id) => app.quotas.commit(caller, id, 30, { ulid: COMMIT })),
  settle('refund', 0, (app, caller, id) => app.quotas.refund(caller, id, { ulid: REFUND })),
  release,
  checkQuota,
  overview,
  freeAbandoned,
  meterCarried,
];
