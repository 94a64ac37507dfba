/** How the memory of hot sessions is divided, and how that is stored. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairLevel } from '../../lib/fair-level.ts';
import { POOL_TOTAL, unpackGrant, unpackShare } from '../../lib/sessions/spillover/budget/share-format.ts';
import {
  aheadBytes,
  chunkBytes,
  idleShareBytes,
  isTight,
  roomyBytes,
} from '../../lib/sessions/spillover/budget/share-sizes.ts';
import { golden } from '../support/stored-formats.ts';

const MIB = 1024 * 1024;

describe('the fair level [P2]', () => {
  it('is what is left for those who want more than the others', () => {
    expect(fairLevel([100, 500, 900], 1_000)).toBe(450);
    expect(fairLevel([100, 200], 300)).toBe(null);
    expect(fairLevel([], 0)).toBe(null);
    expect(fairLevel([5, 5, 5], 2)).toBe(1);
  });

  it('uses all there is and gives nobody more than it wants', () => {
    const wants = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(wants, fc.integer({ min: 40, max: 100_000 }), (all, budget) => {
        const level = fairLevel(all, budget);
        const given = all.map((wanted) => Math.min(wanted, level ?? wanted)).reduce((sum, one) => sum + one, 0);
        expect(given).toBeLessThanOrEqual(budget);
        if (level !== null) expect(given).toBeGreaterThan(budget - all.length);
      }),
    );
  });
});

describe('sizes of shares [P2]', () => {
  it('grow by at most a 256th of the memory, from 64 KiB to 4 MiB', () => {
    expect([1, 16 * MIB, 100 * MIB, 1024 * MIB, 10_240 * MIB].map(chunkBytes)).toEqual([
      65_536,
      65_536,
      409_600,
      4 * MIB,
      4 * MIB,
    ]);
  });

  it('are left with a chunk or a quarter above what is used, whichever is more', () => {
    const plenty = { chunk: 65_536, tight: false };
    expect(idleShareBytes(0, plenty)).toBe(65_536);
    expect(idleShareBytes(100_001, plenty)).toBe(165_537);
    expect(idleShareBytes(1_000_001, plenty)).toBe(1_250_002);
  });

  it('are left with a quarter above what is used when memory is short, 4 KiB at least', () => {
    const short = { chunk: 65_536, tight: true };
    expect(idleShareBytes(0, short)).toBe(4_096);
    expect(idleShareBytes(2_000, short)).toBe(6_096);
    expect(idleShareBytes(100_001, short)).toBe(125_002);
    expect(idleShareBytes(1_000_001, short)).toBe(1_250_002);
  });

  it('are short of memory when three quarters of it are granted', () => {
    expect(isTight(750, 1_000)).toBe(false);
    expect(isTight(751, 1_000)).toBe(true);
  });

  it('grow by half of what is needed, so that a small tenant has no chunk', () => {
    expect([0, 1, 2_001, 131_072, 8 * MIB].map((bytes) => aheadBytes(bytes, 65_536))).toEqual([
      0, 1, 1_001, 65_536, 65_536,
    ]);
  });

  it('are lowered with room for writes that come meanwhile, an eighth of it at most', () => {
    expect(roomyBytes(0, 65_536)).toBe(0);
    expect(roomyBytes(80_000, 65_536)).toBe(70_000);
    expect(roomyBytes(8 * MIB, 65_536)).toBe(8 * MIB - 65_536);
  });
});

describe('the session memory as it is stored [P1]', () => {
  it('is read as it was written', () => {
    const { share, pool } = golden.sessionBudget;
    expect(unpackShare(share)).toEqual({ shareBytes: 411_600, epoch: 2 });
    const { [POOL_TOTAL]: total, ...grants } = pool;
    const granted = Object.values(grants).map(unpackGrant);
    expect(granted).toContainEqual({ grantedBytes: 523, epoch: 3 });
    expect(granted.reduce((sum, { grantedBytes }) => sum + grantedBytes, 0)).toBe(Number(total));
  });

  it('is nothing where nothing is stored, and refused where it is something else', () => {
    expect(unpackShare(null)).toEqual({ shareBytes: 0, epoch: 0 });
    expect(unpackGrant(null)).toEqual({ grantedBytes: 0, epoch: 0 });
    for (const text of ['', 'b1,1', 'b2,1,1', 'b1,1,1,1', 'b1,-1,1'])
      expect(() => unpackShare(text)).toThrow(RangeError);
    for (const text of ['', '1', 'b1,1,1', '1,1,1', '1.5,1']) expect(() => unpackGrant(text)).toThrow(RangeError);
  });
});
