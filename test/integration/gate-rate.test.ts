/** The rate limit is exact: beside a model that counts in whole numbers, on Redis' own clock. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { RateLimitedError } from '../../lib/errors.ts';
import type { Admission } from '../../lib/gate/admission.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { AN_HOUR_US, gateState, type Meter, OPERATION } from '../support/gate-state.ts';

const entry = { namespace: 'ns', key: 'k' };
const ceil = (amount: bigint, by: bigint) => (amount + by - 1n) / by;
const max0 = (amount: bigint) => (amount > 0n ? amount : 0n);

/** The level of the bucket at a time: it drains by `perMinute` units a microsecond, and never by a clock set back. */
const levelAt = (nowUs: bigint, { level, at }: Meter, perMinute: bigint) => max0(level - max0(nowUs - at) * perMinute);

/** What a caller must be told after a call that left the gate so. */
function admissionOf({ level, at, minuteOps }: Meter, perMinute: bigint, burst: bigint): Admission {
  const numbers = {
    burst,
    burstLeft: (burst * OPERATION - level) / OPERATION,
    burstResetMs: ceil(ceil(level, perMinute), 1_000n),
    perMinute,
    minuteLeft: perMinute - minuteOps,
    minuteResetMs: 60_000n - ((at / 1_000n) % 60_000n),
  };
  const told = Object.fromEntries(Object.entries(numbers).map(([name, n]) => [name, Number(n)]));
  return { ...told, own: [] } as unknown as Admission;
}

describe.each(TRANSPORTS)('the rate limit over %s [T5]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const limitedTenant = async (perMinute: number, burst: number) => {
    const { caller, tenant } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    await app.cache.get(caller, entry);
    await gate.setRate(perMinute, burst);
    await gate.setMeter({ level: 0n, minute: 0n });
    return { caller, gate };
  };

  /** One call: what it was told, and how it was refused. */
  const call = async (caller: Caller) => {
    const told: Admission[] = [];
    const refused = await app.cache.get({ ...caller, onAdmitted: (admission) => told.push(admission) }, entry).then(
      () => null,
      (error: unknown) => error as RateLimitedError,
    );
    expect(told).toHaveLength(1);
    return { admission: told[0] as Admission, refused };
  };

  it('lets exactly the burst pass of 120 racing calls', async () => {
    const { caller, gate } = await limitedTenant(60, 40);
    const startUs = await gate.timeUs();
    const calls = await Promise.all(Array.from({ length: 120 }, () => call(caller)));
    const drained = Number((await gate.timeUs()) - startUs) / 1_000_000;
    const passed = calls.filter(({ refused }) => refused === null).length;
    expect(passed).toBeGreaterThanOrEqual(40);
    expect(passed).toBeLessThanOrEqual(40 + Math.floor(drained));
    for (const { refused } of calls) if (refused !== null) expect(refused).toBeInstanceOf(RateLimitedError);
    expect((await gate.meter()).minuteOps).toBe(BigInt(passed));
  });

  const step = fc.record({
    /** How long the caller waits before: mostly about as long as an operation takes to drain. */
    waitUs: fc.oneof(fc.constant(0), fc.nat(100_000), fc.nat(5_000_000), fc.constant(-2_000_000)),
  });

  it('admits, refuses, refills and tells exactly as the model does', async () => {
    const rates = fc.tuple(fc.integer({ min: 30, max: 60_000_000 }), fc.integer({ min: 1, max: 6 }));
    await fc.assert(
      fc.asyncProperty(rates, fc.array(step, { minLength: 1, maxLength: 12 }), async ([rate, burst], steps) => {
        const { caller, gate } = await limitedTenant(rate, burst);
        for (const { waitUs } of steps) {
          const { at } = await gate.meter();
          await gate.setMeter({ at: at - BigInt(waitUs) });
          await expectLikeModel(caller, gate, BigInt(rate), BigInt(burst));
        }
      }),
      { numRuns: 12 },
    );
  });

  /** Redis' time of a refused call is known between two readings of it, of an admitted one exactly. */
  const expectLikeModel = async (caller: Caller, gate: ReturnType<typeof gateState>, rate: bigint, burst: bigint) => {
    const before = await gate.meter();
    const startUs = await gate.timeUs();
    const { refused, admission } = await call(caller);
    const [after, endUs] = [await gate.meter(), await gate.timeUs()];
    const excess = (nowUs: bigint) => levelAt(nowUs, before, rate) + OPERATION - burst * OPERATION;
    if (refused === null) {
      expect(after.level).toBe(levelAt(after.at, before, rate) + OPERATION);
      expect(after.level).toBeLessThanOrEqual(burst * OPERATION);
      expect(admission).toEqual(admissionOf(after, rate, burst));
    } else {
      expect(after).toEqual(before);
      expect(excess(startUs)).toBeGreaterThan(0n);
      const waitMs = (nowUs: bigint) => Number(ceil(ceil(max0(excess(nowUs)), rate), 1_000n));
      expect(refused.retryAfterMs).toBeLessThanOrEqual(Math.max(1, waitMs(startUs)));
      expect(refused.retryAfterMs).toBeGreaterThanOrEqual(Math.max(1, waitMs(endUs)));
    }
  };

  it('says how long to wait: so long admits, and one millisecond less does not', async () => {
    const { caller, gate } = await limitedTenant(600, 5);
    const rates = fc.tuple(fc.integer({ min: 1, max: 6_000 }), fc.integer({ min: 1, max: 600 }), fc.nat(59_999_999));
    await fc.assert(
      fc.asyncProperty(rates, async ([rate, burst, part]) => {
        await gate.setRate(rate, burst);
        const full = BigInt(burst) * OPERATION - BigInt(part);
        // A level of the future stands still, so that what is drained is only what the test drains.
        const stand = async (level: bigint) =>
          gate.setMeter({ level: max0(level), at: (await gate.timeUs()) + AN_HOUR_US, minute: 0n });
        await stand(full);
        const { retryAfterMs = 0, ...refused } = (await call(caller)).refused ?? {};
        expect(refused).toMatchObject({ details: { limit: burst, used: burst, resets_in_ms: retryAfterMs } });
        const waited = (ms: number) => full - BigInt(ms) * 1_000n * BigInt(rate);
        await stand(waited(retryAfterMs - 1));
        expect((await call(caller)).refused).toMatchObject({ code: 'rate_limited', retryAfterMs: 1 });
        await stand(waited(retryAfterMs));
        expect((await call(caller)).refused).toBeNull();
      }),
      { numRuns: 25 },
    );
  });

  it('acts on limits that changed with the next request, and never tells less than nothing', async () => {
    const { caller, gate } = await limitedTenant(600, 10);
    for (let i = 0; i < 8; i++) expect((await call(caller)).refused).toBeNull();
    await gate.setMeter({ at: (await gate.timeUs()) + AN_HOUR_US });
    await gate.setRate(600, 4);
    const { refused, admission } = await call(caller);
    expect(refused).toMatchObject({ code: 'rate_limited', details: { limited_by: 'burst', limit: 4, used: 4 } });
    expect(admission).toMatchObject({ burst: 4, burstLeft: 0 });
    await gate.setRate(600, 20);
    expect((await call(caller)).admission).toMatchObject({ burst: 20, burstLeft: 11 });
  });

  it('lowers a limit for what comes next: what was used of a larger burst does not keep callers out', async () => {
    const { caller, gate } = await limitedTenant(600_000, 60_000);
    await call(caller);
    // All of the burst is used; then the limit is a thousandth of it, and one operation of that has drained.
    await gate.setRate(600, 60);
    await gate.setMeter({ level: 60_000n * OPERATION, at: (await gate.timeUs()) - 100_000n });
    const { refused, admission } = await call(caller);
    expect(refused).toBeNull();
    expect(admission).toMatchObject({ burst: 60 });
  });
});
