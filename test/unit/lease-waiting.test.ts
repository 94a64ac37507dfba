import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pollDelayMs } from '../../lib/cache/loading/lease-waiting.ts';

const long = { leaseLeftMs: 60_000, waitLeftMs: 60_000 };

describe('the delay before asking for a load again [C7]', () => {
  it('grows from 10 to 250 ms, by half at random', () => {
    const delays = [0, 1, 2, 9].map((round) => Math.round(pollDelayMs(round, { ...long, random: 1 })));
    expect(delays).toEqual([10, 16, 26, 250]);
    expect(pollDelayMs(9, { ...long, random: 0 })).toBe(125);
  });

  it('is at least 1 ms, and never past the end of the lease or of the wait', () => {
    const ms = fc.double({ min: 0, max: 70_000, noNaN: true });
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.nat(1_000), ms, ms, random, (round, leaseLeftMs, waitLeftMs, chance) => {
        const delayMs = pollDelayMs(round, { leaseLeftMs, waitLeftMs, random: chance });
        expect(delayMs).toBeGreaterThanOrEqual(1);
        expect(delayMs).toBeLessThanOrEqual(Math.max(1, Math.min(250, leaseLeftMs + 2, waitLeftMs)));
      }),
    );
  });
});
