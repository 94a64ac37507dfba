/** What is metered is what was done: every counter beside a model, whoever runs at the same time. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { meterCarriedWork } from '../../lib/gate/carried-work.ts';
import { newTenantId, newUlid, type TenantId } from '../../lib/ids.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { keysOf } from '../support/tenant-state.ts';

const meta = { content_type: 'application/octet-stream' };
const CALLERS = 8;
const KEYS = 3;
const ENTRY_OVERHEAD_BYTES = 200;

const stepArbitrary = fc.oneof(
  fc.record({ do: fc.constant('set' as const), key: fc.nat(KEYS - 1), size: fc.nat(3_000), create: fc.boolean() }),
  fc.record({ do: fc.constantFrom('get' as const, 'head' as const, 'delete' as const), key: fc.nat(KEYS - 1) }),
);
type Step = typeof stepArbitrary extends fc.Arbitrary<infer S> ? S : never;

/** What one caller's steps on its own namespace must have added. */
function model(steps: readonly Step[]) {
  const sizes = new Map<number, number>();
  const sum = { ops: 0, hits: 0, misses: 0, bytesIn: 0, bytesOut: 0, seq: 0 };
  for (const step of steps) {
    const size = sizes.get(step.key);
    sum.ops++;
    if (step.do === 'set') {
      if (step.create && size !== undefined) continue;
      sizes.set(step.key, step.size);
      sum.bytesIn += step.size;
      sum.seq++;
    } else if (step.do === 'delete') {
      if (sizes.delete(step.key)) sum.seq++;
    } else if (size === undefined) sum.misses++;
    else {
      sum.hits++;
      if (step.do === 'get') sum.bytesOut += size;
    }
  }
  return { ...sum, entries: sizes.size };
}

const add = (sums: readonly ReturnType<typeof model>[]) =>
  Object.fromEntries(
    (['ops', 'hits', 'misses', 'bytesIn', 'bytesOut', 'seq', 'entries'] as const).map((name) => [
      name,
      BigInt(sums.reduce((total, one) => total + one[name], 0)),
    ]),
  );

describe.each(TRANSPORTS)('metering over %s [T4 T6]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const take = ({ caller }: TestTenant, namespace: string, step: Step): Promise<unknown> => {
    const name = { namespace, key: `k${step.key}` };
    if (step.do !== 'set') return app.cache[step.do](caller, name);
    const value = Buffer.alloc(step.size, step.size);
    const write = app.cache.set(caller, name, { value, meta, ttlMs: null, condition: step.create ? 'absent' : 'none' });
    return write.catch((error) => expect(error.code).toBe('precondition_failed'));
  };

  /** Bytes the tenant must be charged for what stands in Redis. */
  const bytesStored = async ({ tenant }: TestTenant) => {
    const names = Array.from({ length: CALLERS * KEYS }, (_, i) =>
      keysOf(app).cacheEntry(tenant.id, 1, { namespace: `ns-${Math.floor(i / KEYS)}`, key: `k${i % KEYS}` }),
    );
    const sizes = await app.redis.sendAll(
      names.map((name) => ['STRLEN', name]),
      { kind: 'read' },
    );
    const charges = names.map((name, i) =>
      sizes[i] === 0 ? 0 : name.length + Number(sizes[i]) + ENTRY_OVERHEAD_BYTES,
    );
    return BigInt(charges.reduce((sum, bytes) => sum + bytes, 0));
  };

  it('equals the model after any operations of 8 concurrent callers', async () => {
    const work = fc.array(fc.array(stepArbitrary, { maxLength: 12 }), { minLength: CALLERS, maxLength: CALLERS });
    await fc.assert(
      fc.asyncProperty(work, async (lists) => {
        const tenant = await newTenant(app);
        const run = async (steps: readonly Step[], i: number) => {
          for (const step of steps) await take(tenant, `ns-${i}`, step);
        };
        await Promise.all(lists.map(run));
        const meter = await gateState(app, tenant.tenant.id).meter();
        expect(meter).toMatchObject({ ...add(lists.map(model)), memory: await bytesStored(tenant) });
      }),
      { numRuns: 8 },
    );
  });

  it('loses no digit of counters up to 2^53', async () => {
    const tenant = await newTenant(app);
    const gate = gateState(app, tenant.tenant.id);
    const most = 2n ** 53n - 1n;
    await gate.setMeter({
      ops: most - 3n,
      bytesIn: most - 1_000n,
      bytesOut: most - 7n,
      misses: most - 1n,
      hits: 10n ** 15n,
    });
    await gate.setMeter({ seq: most - 2n, computeUs: most - 1_234n });
    app.gate.carry(tenant.caller.tenantId, 1_234);
    const name = { namespace: 'ns-0', key: 'k0' };
    await app.cache.get(tenant.caller, name);
    await app.cache.set(tenant.caller, name, { value: Buffer.alloc(999), meta, ttlMs: null });
    await app.cache.get(tenant.caller, name).catch(() => {});
    const meter = await gate.meter();
    expect(meter).toMatchObject({ ops: most, misses: most, bytesIn: most - 1n, seq: most - 1n, computeUs: most });
    expect(meter.hits).toBe(10n ** 15n + 1n);
  });

  it('meters work known only afterwards once, with the next call that passes', async () => {
    const fresh = await testApp({ transport });
    const { caller, tenant } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    const name = { namespace: 'ns-0', key: 'k0' };
    fresh.gate.carry(tenant.id, 1_000.4);
    fresh.gate.carry(tenant.id, 234);
    await fresh.cache.get(caller, name);
    expect(await gate.meter()).toMatchObject({ computeUs: 1_234n });
    await Promise.all([fresh.cache.get(caller, name), fresh.cache.get(caller, name)]);
    expect(await gate.meter()).toMatchObject({ computeUs: 1_234n, ops: 3n });
  });

  it('meters what is still carried at a stop, of each tenant once, and of none that is gone', async () => {
    const fresh = await testApp({ transport });
    const tenants = await Promise.all(Array.from({ length: 120 }, () => newTenant(app)));
    for (const { tenant } of tenants) fresh.gate.carry(tenant.id, 500);
    fresh.gate.carryAccess(tenants[0]?.tenant.id as TenantId, 70);
    fresh.gate.carry(newTenantId(newUlid(0)), 500);
    const ports = { ...fresh, keys: keysOf(fresh) };
    const { signal } = new AbortController();
    expect(await meterCarriedWork(ports, signal)).toBe(120);
    expect(await meterCarriedWork(ports, signal)).toBe(0);
    const meters = await Promise.all(tenants.map(({ tenant }) => gateState(app, tenant.id).meter()));
    expect(new Set(meters.map(({ computeUs, ops }) => `${computeUs} ${ops}`))).toEqual(new Set(['500 0']));
    expect(meters[0]).toMatchObject({ accessUs: 70n });
  });

  it('does not meter what it refused', async () => {
    const { caller, tenant } = await newTenant(app, { quotas: { memory_bytes: 100 } });
    const gate = gateState(app, tenant.id);
    const before = await gate.meter();
    const name = { namespace: 'ns-0', key: 'k0' };
    const write = app.cache.set(caller, name, { value: Buffer.alloc(100), meta, ttlMs: null });
    await expect(write).rejects.toMatchObject({ code: 'memory_full' });
    expect(await gate.meter()).toEqual(before);
  });
});
