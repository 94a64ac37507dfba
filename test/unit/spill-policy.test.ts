/** Which sessions go to S3: the coldest of all, and no tenant gives what is fair to keep. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairLevel } from '../../lib/fair-level.ts';
import { newTenantId, newUlid, type TenantId } from '../../lib/ids.ts';
import {
  type ColdSession,
  chooseSpill,
  isShort,
  ownBytesOf,
  type SpillBatch,
  type SpillTenant,
} from '../../lib/sessions/spillover/pass/spill-policy.ts';

const TENANTS = Array.from({ length: 5 }, (_, i) => newTenantId(newUlid(1_000 + i)));
const hex = (ms: number) => ms.toString(16).padStart(11, '0');

interface Held {
  readonly id: TenantId;
  /** Coldest first. */
  readonly sessions: readonly ColdSession[];
}

/** Tenants with all their sessions, each used at some time and of some size. */
const tenants = fc
  .array(fc.array(fc.record({ at: fc.nat(200), bytes: fc.integer({ min: 1, max: 500 }) }), { maxLength: 30 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((all): readonly Held[] =>
    all.map((sessions, t) => ({
      id: TENANTS[t] as TenantId,
      sessions: sessions
        .map(({ at, bytes }, i) => ({ access: hex(at), ulid: newUlid(5_000 + t * 100 + i), bytes }))
        .sort((one, other) => (one.access + one.ulid < other.access + other.ulid ? -1 : 1)),
    })),
  );

const bytesOf = (sessions: readonly ColdSession[]) => sessions.reduce((sum, { bytes }) => sum + bytes, 0);
const totalOf = (all: readonly Held[]) => all.reduce((sum, { sessions }) => sum + bytesOf(sessions), 0);
const rank = ({ access, ulid }: ColdSession, id: TenantId) => access + ulid + id;

/** As a pass does: round by round, with pages of `page` sessions. @returns all batches, and what is left. */
function spillAll(
  all: readonly Held[],
  options: { readonly threshold: number; readonly page: number; readonly own?: number },
) {
  const fairBytes =
    fairLevel(
      all.map(({ sessions }) => bytesOf(sessions)),
      options.threshold,
    ) ?? Number.POSITIVE_INFINITY;
  const state = all.map(({ id, sessions }) => ({
    id,
    hot: bytesOf(sessions),
    behind: [...sessions],
    page: [] as ColdSession[],
  }));
  const batches: SpillBatch[] = [];
  for (let round = 0; round < 1_000; round++) {
    const goal = {
      totalBytes: state.reduce((sum, { hot }) => sum + hot, 0),
      thresholdBytes: options.threshold,
      batchSize: 10,
      maxSessions: 7,
    };
    const view = ({ id, hot, behind, page }: (typeof state)[number]): SpillTenant => ({
      ...{ id, hotBytes: hot, fairBytes, ownBytes: options.own ?? null, coldest: page, more: behind.length > 0 },
    });
    for (const one of state) if (isShort(view(one), goal)) one.page = one.behind.splice(0, options.page);
    const chosen = chooseSpill(state.map(view), goal);
    if (chosen.length === 0) break;
    for (const { id, sessions } of chosen) {
      const one = state.find((tenant) => tenant.id === id) as (typeof state)[number];
      expect(one.page.slice(0, sessions.length)).toEqual(sessions);
      one.page = one.page.slice(sessions.length);
      one.hot -= bytesOf(sessions);
    }
    batches.push(...chosen);
  }
  return { batches, state, fairBytes };
}

describe('what is moved to S3 [P2]', () => {
  it('brings all tenants to the threshold, and none further than a session below its fair share', () => {
    fc.assert(
      fc.property(tenants, fc.nat(6_000), fc.integer({ min: 1, max: 12 }), (all, threshold, page) => {
        const { batches, state, fairBytes } = spillAll(all, { threshold, page });
        expect(state.reduce((sum, { hot }) => sum + hot, 0)).toBeLessThanOrEqual(threshold);
        for (const { id, sessions } of all) {
          const gone = batches.filter((batch) => batch.id === id).flatMap((batch) => batch.sessions);
          const last = gone.at(-1);
          if (last !== undefined) expect(bytesOf(sessions) - bytesOf(gone) + last.bytes).toBeGreaterThan(fairBytes);
          // The coldest of the tenant, without a gap.
          expect(gone).toEqual(sessions.slice(0, gone.length));
        }
      }),
    );
  });

  it('takes the coldest of all tenants that have more than is fair, whatever the pages', () => {
    fc.assert(
      fc.property(tenants, fc.nat(6_000), fc.integer({ min: 1, max: 12 }), (all, threshold, page) => {
        const paged = spillAll(all, { threshold, page });
        const whole = spillAll(all, { threshold, page: 1_000 });
        const moved = ({ batches }: typeof paged) =>
          batches.flatMap(({ id, sessions }) => sessions.map((one) => rank(one, id))).sort();
        expect(moved(paged)).toEqual(moved(whole));
        // By hand: one at a time, of all who are above it.
        const left = all.map(({ id, sessions }) => ({ id, sessions: [...sessions], hot: bytesOf(sessions) }));
        const expected: string[] = [];
        for (;;) {
          const total = left.reduce((sum, { hot }) => sum + hot, 0);
          const givers = left.filter(
            ({ hot, sessions }) => total > threshold && hot > paged.fairBytes && sessions.length > 0,
          );
          const [first] = givers.sort((a, b) =>
            rank(a.sessions[0] as ColdSession, a.id) < rank(b.sessions[0] as ColdSession, b.id) ? -1 : 1,
          );
          if (first === undefined) break;
          const session = first.sessions.shift() as ColdSession;
          first.hot -= session.bytes;
          expected.push(rank(session, first.id));
        }
        expect(moved(paged)).toEqual(expected.sort());
      }),
    );
  });

  it('moves nothing while all together are at the threshold or below', () => {
    fc.assert(
      fc.property(tenants, (all) => {
        expect(spillAll(all, { threshold: totalOf(all), page: 5 }).batches).toEqual([]);
      }),
    );
  });

  it('brings each tenant below its own limit also while there is memory, and not further', () => {
    fc.assert(
      fc.property(tenants, fc.nat(3_000), (all, own) => {
        const { state, batches } = spillAll(all, { threshold: Number.MAX_SAFE_INTEGER, page: 5, own });
        for (const [i, { hot, id }] of state.entries()) {
          expect(hot).toBeLessThanOrEqual(own);
          const gone = batches.filter((batch) => batch.id === id).flatMap(({ sessions }) => sessions);
          const last = gone.at(-1);
          if (last !== undefined)
            expect(bytesOf(all[i]?.sessions ?? []) - bytesOf(gone) + last.bytes).toBeGreaterThan(own);
        }
      }),
    );
  });

  it('makes batches of one tenant, of so many sessions at most', () => {
    const sessions = Array.from({ length: 25 }, (_, i) => ({ access: hex(i), ulid: newUlid(i), bytes: 10 }));
    const one = {
      id: TENANTS[0] as TenantId,
      hotBytes: 250,
      fairBytes: 0,
      ownBytes: null,
      coldest: sessions,
      more: false,
    };
    const batches = chooseSpill([one], { totalBytes: 250, thresholdBytes: 0, batchSize: 10, maxSessions: 100 });
    expect(batches.map((batch) => batch.sessions.length)).toEqual([10, 10, 5]);
  });
});

describe('the own limit of a tenant [P6]', () => {
  const tenant = (settings: object) => ({
    shareBytes: 1_000,
    settings: { thresholdRatio: 0.5, maxHotBytes: null, hasOwnRatio: false, ...settings },
  });

  it('is its part of what it has chosen, or of a share that cannot be raised', () => {
    expect(ownBytesOf(tenant({ maxHotBytes: 600 }), { poolIsEmpty: false })).toBe(300);
    expect(ownBytesOf(tenant({ hasOwnRatio: true }), { poolIsEmpty: true })).toBe(500);
    expect(ownBytesOf(tenant({ hasOwnRatio: true }), { poolIsEmpty: false })).toBeNull();
    expect(ownBytesOf(tenant({}), { poolIsEmpty: true })).toBeNull();
  });
});
