/** The quota of operations a minute: minutes of Redis' clock, never one operation more than the quota in any of them. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Admission } from '../../lib/gate/admission.ts';
import { unpackLimits } from '../../lib/gate/gate-fields.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';

const entry = { namespace: 'ns', key: 'k' };
const MINUTE_US = 60_000_000n;

describe.each(TRANSPORTS)('operations a minute over %s [T4 T5]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const tenantWith = async (perMinute: number, burst: number) => {
    const { caller, tenant } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    await app.cache.get(caller, entry);
    await gate.setRate(perMinute, burst);
    await gate.setMeter({ minute: 0n, level: 0n });
    return { caller, gate, tenant };
  };

  /** How many of 100 racing calls passed; null when the minute changed meanwhile. */
  const race = async () => {
    const { caller, gate } = await tenantWith(30, 1_000);
    const minute = async () => (await gate.timeUs()) / MINUTE_US;
    const started = await minute();
    const calls = await Promise.allSettled(Array.from({ length: 100 }, () => app.cache.get(caller, entry)));
    const refused = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []));
    for (const reason of refused) expect(reason).toMatchObject({ status: 429, code: 'quota_exceeded' });
    return started === (await minute()) ? calls.length - refused.length : null;
  };

  it('lets exactly the quota pass of 100 racing calls', async () => {
    expect((await race()) ?? (await race())).toBe(30);
  });

  it('counts from nothing in the next minute, and says when that is', async () => {
    const { caller, gate } = await tenantWith(30, 1_000);
    const startUs = await gate.timeUs();
    await gate.setMeter({ minute: startUs / MINUTE_US, minuteOps: 29n });
    const told: Admission[] = [];
    const asking = { ...caller, onAdmitted: (admission: Admission) => told.push(admission) };
    await app.cache.get(asking, entry);
    const refused = await app.cache.get(asking, entry).catch((error) => error);
    const endUs = await gate.timeUs();
    // Should the minute have turned meanwhile, nothing was refused, and that is right too.
    if (startUs / MINUTE_US === endUs / MINUTE_US) {
      const leftMs = (nowUs: bigint) => 60_000 - Number((nowUs / 1_000n) % 60_000n);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(leftMs(startUs));
      expect(refused.retryAfterMs).toBeGreaterThanOrEqual(leftMs(endUs));
      expect(refused.details).toMatchObject({ limit: 30, used: 30 });
      expect(told.map(({ minuteLeft }) => minuteLeft)).toEqual([0, 0]);
    }
    await gate.setMeter({ minute: endUs / MINUTE_US - 1n, minuteOps: 30n });
    await app.cache.get(asking, entry);
    expect(told.at(-1)).toMatchObject({ perMinute: 30, minuteLeft: 29 });
  });

  it('lets nobody pass when the quota is nothing, and changes nothing', async () => {
    const { caller, tenant } = await newTenant(app, { quotas: { operations_per_minute: 0 } });
    const gate = gateState(app, tenant.id);
    const before = await gate.meter();
    const told: Admission[] = [];
    const call = app.cache.get({ ...caller, onAdmitted: (admission) => told.push(admission) }, entry);
    await expect(call).rejects.toMatchObject({ code: 'quota_exceeded', details: { limit: 0, used: 0 } });
    expect(told).toMatchObject([{ burst: 0, burstLeft: 0, burstResetMs: 0, perMinute: 0, minuteLeft: 0 }]);
    expect(await gate.meter()).toEqual(before);
  });

  it('acts on a quota that changed with the next request', async () => {
    const { caller, gate } = await tenantWith(1_000, 1_000);
    const { quotas } = unpackLimits(await gate.read('h'));
    await app.cache.get(caller, entry);
    await gate.setLimits({ quotas: { ...quotas, operations_per_minute: 0 } });
    await expect(app.cache.get(caller, entry)).rejects.toMatchObject({ code: 'quota_exceeded' });
    await gate.setLimits({ quotas: { ...quotas, operations_per_minute: 2_000 } });
    expect(await app.cache.get(caller, entry)).toBeNull();
    await gate.setLimits({ quotas: { ...quotas, memory_bytes: 0 } });
    const write = app.cache.set(caller, entry, {
      value: Buffer.from('v'),
      meta: { content_type: 'text/plain' },
      ttlMs: null,
    });
    await expect(write).rejects.toMatchObject({ status: 507, code: 'memory_full' });
  });
});
