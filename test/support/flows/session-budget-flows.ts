/** Flows of the memory that the hot sessions of all tenants share, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { TenantId } from '../../../lib/ids.ts';
import { firstNeed, sessionBudgetOn, sessionMemory } from '../session-memory.ts';
import type { Flow } from './flow.ts';

const NEEDED = 1_000;
/** With half of it ahead. */
const GRANTED = 1_500;

/** Fails unless the tenant has this share, the pool knows it, and the pool's sum is right. */
async function expectShare(direct: App, id: TenantId, bytes: number): Promise<void> {
  const { tenants, totalBytes, sumBytes } = await sessionMemory(direct).look([id]);
  expect(tenants).toMatchObject([{ shareBytes: bytes, grantedBytes: bytes }]);
  expect(totalBytes).toBe(sumBytes);
}

const grow: Flow = {
  name: 'grant a tenant session memory',
  calls: ['grant-session-memory', 'set-session-share'],
  async prepare(app, direct) {
    const id = await sessionMemory(direct).newTenant();
    return {
      run: (signal) => sessionBudgetOn(app).grow(id, firstNeed(NEEDED), signal),
      async verify(result) {
        expect(result).toMatchObject({ raised: true, shareBytes: GRANTED });
        await expectShare(direct, id, GRANTED);
      },
    };
  },
};

const lower: Flow = {
  name: 'take session memory back from a tenant',
  calls: ['begin-session-lowering', 'set-session-share', 'settle-session-memory'],
  async prepare(app, direct) {
    const id = await sessionMemory(direct).newTenant();
    await sessionBudgetOn(direct).grow(id, firstNeed(NEEDED));
    const spillTo = (bytes: number) => sessionMemory(direct).spillTo(id, bytes);
    return {
      run: (signal) => sessionBudgetOn(app).lower(id, NEEDED, { spillTo, signal }),
      verify: () => expectShare(direct, id, NEEDED),
    };
  },
};

const release: Flow = {
  name: 'release the session memory of a tenant',
  calls: ['release-session-memory'],
  async prepare(app, direct) {
    const id = await sessionMemory(direct).newTenant();
    await sessionBudgetOn(direct).grow(id, firstNeed(NEEDED));
    return {
      run: (signal) => sessionBudgetOn(app).release(id, signal),
      async verify() {
        const { tenants, totalBytes, sumBytes } = await sessionMemory(direct).look([id]);
        expect(tenants).toMatchObject([{ grantedBytes: 0 }]);
        expect(totalBytes).toBe(sumBytes);
      },
    };
  },
};

const reconcile: Flow = {
  name: 'count a share again that the pool has lost',
  calls: ['HMGET', 'grant-session-memory'],
  async prepare(app, direct) {
    const id = await sessionMemory(direct).newTenant();
    await sessionBudgetOn(direct).grow(id, firstNeed(NEEDED));
    await sessionMemory(direct).losePool();
    return {
      run: (signal) => sessionBudgetOn(app).reconcile([id], signal),
      verify: () => expectShare(direct, id, GRANTED),
    };
  },
};

const look: Flow = {
  name: 'list who has session memory',
  calls: ['HSCAN', 'HGET'],
  async prepare(app, direct) {
    const id = await sessionMemory(direct).newTenant();
    await sessionBudgetOn(direct).grow(id, firstNeed(NEEDED));
    return {
      async run(signal) {
        const budget = sessionBudgetOn(app);
        const { holders } = await budget.holders(null, signal);
        return { holders, total: await budget.totalGranted(signal) };
      },
      async verify(result) {
        const { holders } = result as { readonly holders: readonly { readonly tenantId: TenantId }[] };
        expect(holders.map(({ tenantId }) => tenantId)).toContain(id);
      },
    };
  },
};

export const sessionBudgetFlows: readonly Flow[] = [grow, lower, release, reconcile, look];
