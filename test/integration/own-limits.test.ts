/** Limits of a key's own and of a route's own: beside the tenant's, exact, and no concern of others. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { RateLimitedError } from '../../lib/errors.ts';
import { type Admission, rateHeaders } from '../../lib/gate/admission.ts';
import { type Caller, parseApiKey } from '../../lib/gate/caller.ts';
import { keyLimitField, packOwnLimit, routeLimitField } from '../../lib/gate/gate-fields.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { AN_HOUR_US, gateState, OPERATION } from '../support/gate-state.ts';
import { tenantState } from '../support/tenant-state.ts';

const entry = { namespace: 'ns', key: 'k' };
const ROUTE = 'getEntry';

describe.each(TRANSPORTS)('limits of keys and routes over %s [T5]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const newLimited = async () => {
    const tenant = await newTenant(app);
    const caller: Caller = { ...tenant.caller, route: ROUTE };
    await app.cache.get(caller, entry);
    return { tenant, caller, gate: gateState(app, tenant.tenant.id) };
  };
  const fieldOf = (which: 'key' | 'route', { caller }: { caller: Caller }) =>
    which === 'key' ? keyLimitField(caller.keyHash) : routeLimitField(ROUTE);
  const call = async (caller: Caller) => {
    const told: Admission[] = [];
    const refused = await app.cache.get({ ...caller, onAdmitted: (admission) => told.push(admission) }, entry).then(
      () => null,
      (error: unknown) => error as RateLimitedError,
    );
    return { refused, admission: told[0] as Admission };
  };
  const anotherKey = async ({ tenant }: TestTenant) =>
    parseApiKey((await app.apiKeys.create(tenant.id, { scopes: ['*'], expires_at: null })).key);

  /** The limit's level and when it was so. */
  const levelOf = async (gate: ReturnType<typeof gateState>, field: string) => {
    const [, , , level, at] = (await gate.read(field)).split(',');
    return { level: BigInt(level as string), at: BigInt(at as string) };
  };

  describe.each(['key', 'route'] as const)('of a %s', (which) => {
    it('let exactly the burst pass of 100 racing calls', async () => {
      const limited = await newLimited();
      const { caller, gate } = limited;
      await gate.write(fieldOf(which, limited), packOwnLimit({ operations_per_minute: 1, burst: 40 }));
      const before = await gate.meter();
      const calls = await Promise.all(Array.from({ length: 100 }, () => call(caller)));
      const refused = calls.flatMap((one) => one.refused ?? []);
      expect(refused).toHaveLength(60);
      for (const error of refused) {
        expect(error).toBeInstanceOf(RateLimitedError);
        expect(error.details).toMatchObject({ limited_by: which, limit: 40, used: 40 });
      }
      expect((await gate.meter()).ops).toBe(before.ops + 40n);
    });

    it('refill evenly, to the microsecond, as a model in whole numbers does', async () => {
      const limited = await newLimited();
      const { caller, gate } = limited;
      const field = fieldOf(which, limited);
      const step = fc.oneof(fc.constant(0), fc.nat(100_000), fc.nat(5_000_000), fc.constant(-2_000_000));
      const rates = fc.tuple(fc.integer({ min: 30, max: 1_000_000 }), fc.integer({ min: 1, max: 5 }));
      await fc.assert(
        fc.asyncProperty(rates, fc.array(step, { minLength: 1, maxLength: 10 }), async ([rate, burst], waits) => {
          await gate.write(field, packOwnLimit({ operations_per_minute: rate, burst }));
          for (const wait of waits) {
            const { level, at } = await levelOf(gate, field);
            if (at !== 0n) await gate.write(field, `l1,${rate},${burst},${level},${at - BigInt(wait)}`);
            const before = await levelOf(gate, field);
            const startUs = await gate.timeUs();
            const { refused } = await call(caller);
            const [after, endUs] = [await levelOf(gate, field), await gate.timeUs()];
            const levelAt = (us: bigint) => {
              const drained = before.level - (us > before.at ? us - before.at : 0n) * BigInt(rate);
              return drained > 0n ? drained : 0n;
            };
            const over = (us: bigint) => levelAt(us) + OPERATION - BigInt(burst) * OPERATION;
            if (refused === null) {
              expect(after.level).toBe(levelAt(after.at) + OPERATION);
              expect(over(after.at)).toBeLessThanOrEqual(0n);
            } else {
              expect(after).toEqual(before);
              expect(over(startUs)).toBeGreaterThan(0n);
              const waitMs = (us: bigint) => Math.max(1, Math.ceil(Number(over(us)) / rate / 1_000));
              expect(refused.retryAfterMs).toBeLessThanOrEqual(waitMs(startUs));
              expect(refused.retryAfterMs).toBeGreaterThanOrEqual(waitMs(endUs));
            }
          }
        }),
        { numRuns: 10 },
      );
    });

    it('are told in the headers of every answer, and which of them refused', async () => {
      const limited = await newLimited();
      const { caller, gate } = limited;
      await gate.write(fieldOf(which, limited), packOwnLimit({ operations_per_minute: 1, burst: 2 }));
      const { admission } = await call(caller);
      expect(admission.own).toMatchObject([{ name: which, burst: 2, burstLeft: 1, perMinute: 1 }]);
      const headers = rateHeaders(admission);
      expect(headers['ratelimit-policy']).toContain(`"${which}";q=2;w=120`);
      expect(headers.ratelimit).toMatch(new RegExp(`"${which}";r=1;t=60`));
      await call(caller);
      const { refused, admission: last } = await call(caller);
      expect(refused).toMatchObject({ status: 429, code: 'rate_limited', details: { limited_by: which } });
      expect(refused?.retryAfterMs).toBeGreaterThan(59_000);
      expect(rateHeaders(last).ratelimit).toMatch(new RegExp(`"${which}";r=0`));
    });

    it('that were lowered do not keep callers out for what was used of the larger burst', async () => {
      const limited = await newLimited();
      const usedAtUs = (await limited.gate.timeUs()) - 100_000n;
      await limited.gate.write(fieldOf(which, limited), `l1,600,60,${60_000n * OPERATION},${usedAtUs}`);
      expect((await call(limited.caller)).refused).toBeNull();
    });

    it('act with the next request when they are set, changed or removed', async () => {
      const limited = await newLimited();
      const { caller, gate, tenant } = limited;
      const field = fieldOf(which, limited);
      await gate.write(field, packOwnLimit({ operations_per_minute: 1, burst: 1 }));
      expect((await call(caller)).refused).toBeNull();
      expect((await call(caller)).refused).toMatchObject({ details: { limit: 1 } });
      await gate.write(field, packOwnLimit({ operations_per_minute: 1, burst: 3 }));
      expect((await call(caller)).admission.own).toMatchObject([{ burst: 3, burstLeft: 2 }]);
      await app.redis.send(['HDEL', `${gateKey(tenant)}`, field], { kind: 'write' });
      for (let i = 0; i < 5; i++) expect((await call(caller)).admission.own).toEqual([]);
    });
  });

  const gateKey = ({ tenant }: TestTenant) => {
    const { keyPrefix, version } = app.config.cache;
    return `${keyPrefix}:${version}:{t:${tenant.id}}:gate`;
  };

  it('concern no other key, no other route and no other tenant', async () => {
    const { caller, gate, tenant } = await newLimited();
    const stranger = await newLimited();
    await gate.write(keyLimitField(caller.keyHash), packOwnLimit({ operations_per_minute: 1, burst: 1 }));
    await gate.write(routeLimitField('putEntry'), packOwnLimit({ operations_per_minute: 1, burst: 1 }));
    await call(caller);
    expect((await call(caller)).refused).toMatchObject({ details: { limited_by: 'key' } });
    const other = { ...(await anotherKey(tenant)), route: ROUTE };
    for (let i = 0; i < 3; i++) {
      expect((await call(other)).refused).toBeNull();
      expect((await call(stranger.caller)).refused).toBeNull();
    }
    expect((await call({ ...other, route: 'putEntry' })).refused).toBeNull();
    expect((await call({ ...other, route: 'putEntry' })).refused).toMatchObject({ details: { limited_by: 'route' } });
    expect((await call({ ...other, route: undefined })).refused).toBeNull();
  });

  it('of several at once none is charged when one refuses', async () => {
    const { caller, gate, tenant } = await newLimited();
    const [ofKey, ofRoute] = [keyLimitField(caller.keyHash), routeLimitField(ROUTE)];
    const wide = packOwnLimit({ operations_per_minute: 60, burst: 50 });
    for (const [tight, free] of [
      [ofKey, ofRoute],
      [ofRoute, ofKey],
    ] as const) {
      await gate.write(tight, packOwnLimit({ operations_per_minute: 1, burst: 1 }));
      await gate.write(free, wide);
      const { admission } = await call(caller);
      expect(admission.own.map(({ name }) => name)).toEqual(['key', 'route']);
      const before = await tenantState(app, tenant.tenant.id);
      const { refused } = await call(caller);
      expect(refused?.details.limited_by).toBe(tight === ofKey ? 'key' : 'route');
      expect(await tenantState(app, tenant.tenant.id)).toEqual(before);
    }
  });

  it("are not charged when the tenant's own rate refuses, and the tenant is not when they do", async () => {
    const { caller, gate, tenant } = await newLimited();
    await gate.write(keyLimitField(caller.keyHash), packOwnLimit({ operations_per_minute: 60, burst: 50 }));
    await gate.setRate(60, 1);
    // A level of the future stands still.
    await gate.setMeter({ level: OPERATION, at: (await gate.timeUs()) + AN_HOUR_US });
    const before = await tenantState(app, tenant.tenant.id);
    expect((await call(caller)).refused).toMatchObject({ details: { limited_by: 'burst' } });
    expect(await tenantState(app, tenant.tenant.id)).toEqual(before);
  });
});
