import { expect, it } from 'vitest';
import { createElapsedClock } from '../../lib/cache/local/elapsed-clock.ts';

it('measures by whichever clock moved further, and never goes back [C7]', () => {
  const at = { wall: 1_000, monotonic: 5 };
  const nowMs = createElapsedClock({ wallMs: () => at.wall, monotonicMs: () => at.monotonic });
  expect(nowMs()).toBe(1_000);
  Object.assign(at, { wall: 1_010, monotonic: 15 });
  expect(nowMs()).toBe(1_010);
  // Set back, as by NTP: the monotonic one goes on.
  Object.assign(at, { wall: 500, monotonic: 25 });
  expect(nowMs()).toBe(1_020);
  // Frozen: the wall clock is right again when it thaws.
  Object.assign(at, { wall: 60_500, monotonic: 26 });
  expect(nowMs()).toBe(61_020);
});
