/** The limiter as a service is exact: in races, beside a model in whole numbers, and when its terms change. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newUlid } from '../../lib/ids.ts';
import { ALGORITHMS, type LimitCheck, MAX_LIMIT, MAX_WINDOW_MS } from '../../lib/rate-limiter/limit-rules.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditRecords } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { modelCheck, type Terms, type Used } from '../support/limit-model.ts';
import { limitState } from '../support/limit-state.ts';

const HOUR_MS = 3_600_000;

describe.each(TRANSPORTS)('a limit over %s [T5 A14]', (transport) => {
  let app: App;
  let tenant: TestTenant;
  beforeAll(async () => {
    app = await testApp({ transport });
    tenant = await newTenant(app);
  });

  const newCheck = (changes: Partial<LimitCheck> = {}): LimitCheck => ({
    name: 'logins',
    identifier: newUlid(Date.now()),
    limit: 5,
    windowMs: HOUR_MS,
    ...changes,
  });
  const check = (how: LimitCheck, operationId?: string) =>
    app.rateLimiter.check(tenant.caller, how, operationId === undefined ? {} : { operationId });
  const stateOf = ({ name, identifier }: LimitCheck) => limitState(app, tenant.tenant.id, name, identifier);
  const nowMs = async () => Number((await gateState(app, tenant.tenant.id).timeUs()) / 1_000n);

  it.each(ALGORITHMS)('%s: lets exactly 40 of 100 racing calls pass', async (algorithm) => {
    const how = newCheck({ algorithm, limit: 40, windowMs: MAX_WINDOW_MS });
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => check(how)));
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(40);
    const left = verdicts.flatMap(({ allowed, remaining }) => (allowed ? [remaining] : []));
    expect(left.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(await check({ ...how, cost: 0 })).toMatchObject({ allowed: false, remaining: 0 });
  });

  it.each(ALGORITHMS)(
    '%s: never lets racing costs pass the limit, nor refuses one that would fit',
    async (algorithm) => {
      const costs = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 5, maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(costs, async (all) => {
          const how = newCheck({ algorithm, limit: 60, windowMs: MAX_WINDOW_MS });
          const verdicts = await Promise.all(all.map((cost) => check({ ...how, cost })));
          const spent = all.reduce((sum, cost, i) => (verdicts[i]?.allowed ? sum + cost : sum), 0);
          expect(spent).toBeLessThanOrEqual(60);
          all.forEach((cost, i) => {
            if (!verdicts[i]?.allowed) expect(spent + cost).toBeGreaterThan(60);
          });
          expect((await check({ ...how, cost: 0 })).remaining).toBe(60 - spent);
        }),
        { numRuns: 5 },
      );
    },
  );

  const terms: fc.Arbitrary<Terms> = fc.record({
    algorithm: fc.constantFrom(...ALGORITHMS),
    limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: MAX_LIMIT }), fc.constant(MAX_LIMIT)),
    windowMs: fc.oneof(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: MAX_WINDOW_MS }),
      fc.constant(MAX_WINDOW_MS),
    ),
  });
  /** Parts of the limit and of the window, in thousandths: about as much as matters. */
  const step = fc.record({
    cost: fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 1_000 })),
    wait: fc.oneof(fc.constant(0), fc.integer({ min: -200, max: 1_200 })),
  });

  it('answers and counts exactly as the model does, at some instant while it was asked', async () => {
    await fc.assert(
      fc.asyncProperty(terms, fc.array(step, { minLength: 1, maxLength: 8 }), async (how, steps) => {
        const identifier = newUlid(Date.now());
        const state = stateOf(newCheck({ identifier }));
        for (const { cost, wait } of steps) {
          await state.pass(Math.round((how.windowMs * wait) / 1_000));
          const amount = cost <= 1 ? cost : Math.max(1, Math.floor((how.limit * cost) / 1_000));
          const before = await state.read();
          const startMs = await nowMs();
          const verdict = await check({ ...newCheck({ identifier }), ...how, cost: amount });
          const [endMs, after] = [await nowMs(), await state.read()];
          expectLikeModel({ how, before, cost: amount, startMs, endMs }, { verdict, after });
        }
      }),
      { numRuns: 25 },
    );
  });

  /** Redis' time of the check is known between two readings of it. */
  function expectLikeModel(
    asked: { how: Terms; before: Used | null; cost: number; startMs: number; endMs: number },
    { verdict, after }: { verdict: unknown; after: Used | null },
  ) {
    const { how, before, cost, startMs, endMs } = asked;
    const counted = (used: Used | null) => (used === null ? null : { used: used.used, sinceMs: used.sinceMs });
    const answers = Array.from({ length: endMs - startMs + 1 }, (_, i) => {
      const model = modelCheck(how, before, cost, startMs + i);
      // What a refusal says of waiting is true to the millisecond.
      const { allowed, retryAfterMs } = model.verdict;
      if (!allowed && retryAfterMs !== null) {
        const later = (ms: number) => modelCheck(how, before, cost, startMs + i + ms).verdict.allowed;
        expect([later(retryAfterMs - 1), later(retryAfterMs)]).toEqual([false, true]);
      }
      // A check that counts nothing leaves the state as it is, also where that has become as good as none.
      const stays = cost === 0 || !allowed;
      return { verdict: model.verdict, after: counted(stays ? before : model.after) };
    });
    expect(answers).toContainEqual({ verdict, after: counted(after) });
  }

  it.each(ALGORITHMS)('%s: waiting as long as it says is enough', async (algorithm) => {
    const how = newCheck({ algorithm, limit: 3, windowMs: 7_001 });
    for (let i = 0; i < 3; i++) await check(how);
    const refused = await check({ ...how, cost: 2 });
    expect(refused).toMatchObject({ allowed: false, remaining: 0 });
    await stateOf(how).pass(refused.retryAfterMs ?? 0);
    expect(await check({ ...how, cost: 2 })).toMatchObject({ allowed: true, retryAfterMs: null });
  });

  describe('when its terms change', () => {
    it('compares what was used with the limit asked for', async () => {
      for (const algorithm of ALGORITHMS) {
        const how = newCheck({ algorithm, limit: 10 });
        await check({ ...how, cost: 6 });
        expect(await check({ ...how, limit: 5 })).toMatchObject({ allowed: false, remaining: 0 });
        expect(await check({ ...how, limit: 20, cost: 14 })).toMatchObject({ allowed: true, remaining: 0 });
      }
    });

    it('lets a window keep its beginning, and ends it by the shorter length', async () => {
      const how = newCheck({ windowMs: 1_000_000 });
      await check({ ...how, cost: 4 });
      const { sinceMs = 0 } = (await stateOf(how).read()) ?? {};
      const longer = await check({ ...how, windowMs: 2_000_000, cost: 0 });
      expect(longer).toMatchObject({ remaining: 1, resetAtMs: sinceMs + 1_000_000 });
      const shorter = await check({ ...how, windowMs: 500_000 });
      expect(shorter).toMatchObject({ allowed: true, remaining: 0, resetAtMs: sinceMs + 500_000 });
      await stateOf(how).pass(500_000);
      expect(await check({ ...how, windowMs: 1_000_000 })).toMatchObject({ allowed: true, remaining: 4 });
    });

    it('counts what was used on in the other algorithm, a part of a token as a whole one', async () => {
      const window = newCheck({ limit: 10 });
      await check({ ...window, cost: 7 });
      const bucket = { ...window, algorithm: 'token_bucket' as const };
      expect(await check({ ...bucket, cost: 4 })).toMatchObject({ allowed: false, remaining: 3 });
      expect(await check({ ...bucket, cost: 2 })).toMatchObject({ allowed: true, remaining: 1 });
      // A tenth of the limit is a token: 9 tokens, less a little, count as 9.
      await stateOf(window).pass(1);
      expect(await check({ ...window, cost: 0 })).toMatchObject({ remaining: 1 });
      expect(await check(window)).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('drains a bucket by its old terms up to now, and never gives more than what was free', async () => {
      const how = newCheck({ algorithm: 'token_bucket', limit: 100, windowMs: 1_000_000 });
      await check({ ...how, cost: 100 });
      await stateOf(how).pass(500_000);
      const half = await check({ ...how, windowMs: 10_000_000, cost: 0 });
      expect(half.remaining).toBeGreaterThanOrEqual(50);
      expect(half.remaining).toBeLessThanOrEqual(51);
      expect(await check({ ...how, limit: MAX_LIMIT, windowMs: MAX_WINDOW_MS })).toMatchObject({ allowed: true });
      expect((await stateOf(how).read())?.used).toBeLessThanOrEqual(BigInt(51) * BigInt(MAX_WINDOW_MS));
    });

    it('says how long to wait by what is stored: a refusal leaves that as it was', async () => {
      const how = newCheck({ algorithm: 'token_bucket', limit: 10, windowMs: 1_000_000 });
      await check({ ...how, cost: 10 });
      const before = await stateOf(how).read();
      const refused = await check({ ...how, limit: 5, windowMs: 10 });
      expect(refused).toMatchObject({ allowed: false });
      expect(await stateOf(how).read()).toMatchObject({ used: before?.used, sinceMs: before?.sinceMs, limit: 10 });
      await stateOf(how).pass(refused.retryAfterMs ?? 0);
      expect(await check({ ...how, limit: 5, windowMs: 10 })).toMatchObject({ allowed: true });
    });
  });

  it('keeps names, identifiers and tenants apart, whatever they are made of', async () => {
    const identifiers = ['a', 'A', 'a:b', 'a%00', 'a\0', 'e\0x', '€ {t:x}', '*', ' ', '%', '😀', 'x'.repeat(256)];
    const other = await newTenant(app);
    for (const name of ['by-user', 'by-address'])
      for (const identifier of identifiers) {
        const how = newCheck({ name, identifier, limit: 1 });
        expect(await check(how)).toMatchObject({ allowed: true });
        expect(await check(how)).toMatchObject({ allowed: false });
      }
    const elsewhere = await app.rateLimiter.check(
      other.caller,
      newCheck({ name: 'by-user', identifier: 'a', limit: 1 }),
    );
    expect(elsewhere).toMatchObject({ allowed: true });
    expect(await auditRecords(app, other.tenant.id)).toEqual({ c: 0, l: 1, i: 0, s: 0 });
    await auditRecords(app, tenant.tenant.id);
  });

  it.each<[string, Partial<LimitCheck>]>([
    ['name', { name: 'a:b' }],
    ['name', { name: '' }],
    ['identifier', { identifier: '' }],
    ['identifier', { identifier: 'x'.repeat(257) }],
    ['identifier', { identifier: '\ud800' }],
    ['limit', { limit: 0, cost: 0 }],
    ['limit', { limit: MAX_LIMIT + 1 }],
    ['limit', { limit: 1.5 }],
    ['window_ms', { windowMs: 0 }],
    ['window_ms', { windowMs: MAX_WINDOW_MS + 1 }],
    ['window_ms', { windowMs: Number.NaN }],
    ['cost', { cost: -1 }],
    ['cost', { cost: 6 }],
    ['cost', { cost: 0.5 }],
  ])('refuses a %s that does not fit: %j', async (field, change) => {
    const how = newCheck(change);
    await expect(check(how)).rejects.toMatchObject({ status: 400, code: 'invalid_request', issues: [{ field }] });
  });
});
