/** How memory is divided when all tenants together use more than there is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairShares, type MemoryUse } from '../../lib/cache/memory/memory-share.ts';

const use = (usedBytes: number, shareBytes = 0, quotaBytes = 1_000): MemoryUse => ({
  usedBytes,
  shareBytes,
  quotaBytes,
});

describe('shares of the memory [C13]', () => {
  it('are none while there is enough', () => {
    expect(fairShares([use(300), use(700)], 1_000)).toEqual([0, 0]);
    expect(fairShares([], 1_000)).toEqual([]);
  });

  it('cut those who use the most, and leave the others alone', () => {
    expect(fairShares([use(100), use(500), use(900)], 1_000)).toEqual([0, 450, 450]);
    expect(fairShares([use(600), use(600)], 1_000)).toEqual([500, 500]);
  });

  it('stay while they hold a tenant down, and are lifted when they no longer do', () => {
    expect(fairShares([use(100), use(450, 450), use(449, 450)], 1_000)).toEqual([0, 450, 450]);
    expect(fairShares([use(100), use(300, 450), use(200, 450)], 1_000)).toEqual([0, 0, 0]);
    expect(fairShares([use(0), use(450, 450), use(100, 450)], 1_000)).toEqual([0, 900, 0]);
  });

  it('never add up to more than there is, and use all of it', () => {
    const uses = fc.array(
      fc.record({ usedBytes: fc.nat(10_000), quotaBytes: fc.nat(20_000), shareBytes: fc.constant(0) }),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(uses, fc.integer({ min: 100, max: 100_000 }), (all, budget) => {
        const shares = fairShares(all, budget);
        const kept = all.map(({ usedBytes }, i) => Math.min(usedBytes, shares[i] || usedBytes));
        const sum = kept.reduce((one, other) => one + other, 0);
        expect(sum).toBeLessThanOrEqual(budget);
        const total = all.reduce((before, { usedBytes }) => before + usedBytes, 0);
        expect(sum).toBeGreaterThanOrEqual(Math.min(total, budget - all.length));
        const level = Math.max(...shares);
        for (const [i, share] of shares.entries()) {
          expect(share === 0 ? level === 0 || (all[i] as MemoryUse).usedBytes <= level : share === level).toBe(true);
        }
      }),
    );
  });
});
