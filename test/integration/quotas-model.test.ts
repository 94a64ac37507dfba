/** Reservations beside a model of a few lines: whatever comes after what, both say the same. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { RESOURCES, type Resource } from '../../lib/quotas/quota-state.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { auditHolds, openHolds, passTime } from '../support/hold-state.ts';
import { withinMinute } from '../support/within-minute.ts';

const LIMIT = 100;
const BYTES = ['memory_bytes', 'storage_bytes'] as const;

const stepArbitrary = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      resource: fc.constantFrom(...RESOURCES),
      amount: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('commit' as const), which: fc.nat(20), amount: fc.nat(70) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('refund' as const, 'expire' as const), which: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      resource: fc.constantFrom(...BYTES),
      amount: fc.integer({ min: 1, max: 60 }),
    }),
  },
);
type Step = typeof stepArbitrary extends fc.Arbitrary<infer S> ? S : never;

interface Hold {
  readonly id: string;
  readonly resource: Resource;
  readonly amount: number;
  abandoned: boolean;
}

/** What the tenant's state must be, and what each step must answer. */
function createModel() {
  const used: Record<Resource, number> = {
    memory_bytes: 0,
    storage_bytes: 0,
    operations_per_minute: 0,
    data_transfer_bytes: 0,
  };
  const committed = { memory_bytes: 0, storage_bytes: 0 };
  let open: Hold[] = [];
  const held = (resource: Resource) =>
    resource === 'operations_per_minute'
      ? 0
      : open.filter((hold) => hold.resource === resource).reduce((sum, { amount }) => sum + amount, 0);
  const count = () => void used.operations_per_minute++;

  return {
    used,
    committed,
    held,
    /** Every reservation ever made, so that steps may name settled ones. */
    made: [] as Hold[],
    open: () => open,
    /** Whether it is granted. */
    reserve(resource: Resource, amount: number): boolean {
      if (resource === 'operations_per_minute') {
        used.operations_per_minute += amount;
        return true;
      }
      if (used[resource] + held(resource) + amount > LIMIT) open = open.filter(({ abandoned }) => !abandoned);
      if (used[resource] + held(resource) + amount > LIMIT) return false;
      count();
      return true;
    },
    add(hold: Hold): void {
      open.push(hold);
      this.made.push(hold);
    },
    /** The code of the refusal, or null. */
    settle(hold: Hold, amount: number): string | null {
      count();
      if (hold.abandoned || !open.includes(hold)) return 'reservation_not_found';
      if (amount > hold.amount) return 'reservation_too_small';
      open = open.filter((one) => one !== hold);
      if (hold.resource === 'operations_per_minute') used.operations_per_minute -= hold.amount - amount;
      else used[hold.resource] += amount;
      if (hold.resource === 'memory_bytes' || hold.resource === 'storage_bytes') committed[hold.resource] += amount;
      return null;
    },
    release(resource: (typeof BYTES)[number], amount: number): string | null {
      count();
      if (amount > committed[resource]) return 'release_too_large';
      committed[resource] -= amount;
      used[resource] -= amount;
      return null;
    },
  };
}
type Model = ReturnType<typeof createModel>;

const codeOf = (call: Promise<unknown>): Promise<string | null> =>
  call.then(
    () => null,
    (error: { readonly code: string }) => error.code,
  );

describe.each(TRANSPORTS)('reservations over %s [T4]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const take = async (model: Model, { caller, tenant }: Awaited<ReturnType<typeof newTenant>>, step: Step) => {
    if (step.do === 'reserve') {
      const { resource, amount } = step;
      const granted = model.reserve(resource, amount);
      const made = await app.quotas.reserve(caller, { resource, amount }).catch((error) => {
        const { used, held = 0, limit } = error.details;
        expect(used + held).toBe(model.used[resource] + model.held(resource));
        expect(limit).toBe(LIMIT);
        return null;
      });
      expect(made !== null).toBe(granted);
      if (made === null) return;
      model.add({ id: made.id, resource, amount, abandoned: false });
      expect(made).toMatchObject({ used: model.used[resource], held: model.held(resource) });
    } else if (step.do === 'release') {
      const refused = model.release(step.resource, step.amount);
      expect(await codeOf(app.quotas.release(caller, step))).toBe(refused);
    } else {
      const hold = model.made[step.which % Math.max(1, model.made.length)];
      if (hold === undefined) return;
      if (step.do === 'expire') {
        if (model.open().includes(hold)) await passTime(app, tenant.id, hold.id);
        hold.abandoned = true;
        return;
      }
      const amount = step.do === 'commit' ? step.amount : 0;
      const refused = model.settle(hold, amount);
      const call =
        step.do === 'commit' ? app.quotas.commit(caller, hold.id, amount) : app.quotas.refund(caller, hold.id);
      expect(await codeOf(call)).toBe(refused);
    }
  };

  const compare = async (model: Model, steps: readonly Step[]) => {
    const quotas = { memory_bytes: LIMIT, storage_bytes: LIMIT, data_transfer_bytes: LIMIT };
    const made = await newTenant(app, { quotas: { operations_per_minute: 1_000_000, ...quotas } });
    for (const step of steps) await take(model, made, step);
    const { memoryBytes, storageBytes, transferBytes, ...committed } = await auditHolds(app, made.tenant.id);
    expect({ memoryBytes, storageBytes, transferBytes }).toEqual({
      memoryBytes: model.held('memory_bytes'),
      storageBytes: model.held('storage_bytes'),
      transferBytes: model.held('data_transfer_bytes'),
    });
    expect(committed).toEqual({
      committedMemoryBytes: model.committed.memory_bytes,
      committedStorageBytes: model.committed.storage_bytes,
    });
    expect((await openHolds(app, made.tenant.id)).map(({ id }) => id).sort()).toEqual(
      model
        .open()
        .map(({ id }) => id)
        .sort(),
    );
    expect(await gateState(app, made.tenant.id).meter()).toMatchObject({
      memory: BigInt(model.used.memory_bytes),
      storage: BigInt(model.used.storage_bytes),
      transfer: BigInt(model.used.data_transfer_bytes),
      bytesOut: BigInt(model.used.data_transfer_bytes),
      ops: BigInt(model.used.operations_per_minute),
    });
  };

  it('equal the model after any steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 60, size: 'max' }), (steps) =>
        withinMinute(app, () => compare(createModel(), steps)),
      ),
      { numRuns: transport === 'tcp' ? 60 : 15 },
    );
  });
});
