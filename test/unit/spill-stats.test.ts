/** What is counted of sessions on their way between Redis and S3, and summed up of all tenants. */
import { describe, expect, it } from 'vitest';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { NO_MOVES, unpackMoves } from '../../lib/sessions/spillover/pass/spill-counters.ts';
import {
  NO_SPILL_SUM,
  packSpillSum,
  sumUp,
  unpackSpillSum,
} from '../../lib/sessions/spillover/pass/spill-stats-format.ts';
import { golden } from '../support/stored-formats.ts';

const { moves, sum } = golden.spillover;
const MOVES = {
  spilled: 61,
  restored: 7,
  spillOperations: 5,
  restoreOperations: 7,
  spillUs: 204_113,
  restoreUs: 52_001,
};

describe('what was moved of a tenant [P6]', () => {
  it('is read as an earlier version has written it', () => {
    expect(unpackMoves(moves)).toEqual(MOVES);
    expect(unpackMoves(null)).toEqual(NO_MOVES);
  });

  it.each([
    '',
    'sp1',
    'sp1,1,2,3,4,5',
    'sp1,1,2,3,4,5,6,7',
    'sp2,1,2,3,4,5,6',
    'sp1,1,2,3,4,5,-6',
    'sp1,1,2,3,4,5,6\n',
  ])('is not read from %j', (text) => expect(() => unpackMoves(text)).toThrow(RangeError));
});

describe('what a pass sums up [P6]', () => {
  it('is read as an earlier version has written it, and written so', () => {
    const read = unpackSpillSum(sum);
    expect(read).toMatchObject({
      asOfMs: 1_795_274_507_591,
      tenants: 2,
      moves: MOVES,
      busiest: [{ hotBytes: 800_000 }],
    });
    expect(packSpillSum(read)).toBe(sum);
    expect(unpackSpillSum('{"version":2,"tenants":7}')).toEqual(NO_SPILL_SUM);
  });

  it('is the sum of all tenants, and names the ten with the most hot bytes', () => {
    const tenants = Array.from({ length: 15 }, (_, i) => ({
      id: newTenantId(newUlid(1_000 + i)),
      ...{ hotBytes: (i % 12) * 10, shareBytes: 200, sessions: 3, spilled: 1, spilledBytes: 7, moves: MOVES },
    }));
    const { busiest, ...all } = sumUp(tenants, 5);
    expect(all).toMatchObject({ asOfMs: 5, tenants: 15, sessions: 45, spilledSessions: 15, spilledBytes: 105 });
    expect(all.hotBytes).toBe(tenants.reduce((total, { hotBytes }) => total + hotBytes, 0));
    expect(all.moves).toMatchObject({ spilled: 915, spillUs: 3_061_695 });
    expect(busiest.map(({ hotBytes }) => hotBytes)).toEqual([110, 100, 90, 80, 70, 60, 50, 40, 30, 20]);
  });
});
