/** How fast a job comes on, and when it may be done. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { etaSeconds, type JobPace, nextPace, percentOf } from '../../lib/jobs/job-pace.ts';

const unit = 'entries';
/** Looks at a job that was started at 0: `[ms, done]`. */
const paceAfter = (...looks: readonly (readonly [number, number])[]) =>
  looks.reduce<JobPace | undefined>(
    (pace, [nowMs, done]) => nextPace(pace, { done, total: 100, unit }, { nowMs, startedMs: 0 }),
    undefined,
  );
const eta = (
  pace: JobPace | undefined,
  nowMs: number,
  total: number | null = 100,
  status: 'running' | 'done' = 'running',
) =>
  etaSeconds(
    { status, progress: { done: pace?.done ?? 0, total, unit }, ...(pace === undefined ? {} : { pace }) },
    nowMs,
  );

describe('when a job may be done [K4]', () => {
  it('is told from how much was done in how long', () => {
    expect(eta(paceAfter([10_000, 20]), 10_000)).toBe(40);
    // Time that passes without a look has been waited for.
    expect(eta(paceAfter([10_000, 20]), 16_500)).toBe(34);
  });

  it('cannot be told before anything is done, within the first second, without a total, and once it has ended', () => {
    expect(eta(undefined, 5_000)).toBeNull();
    expect(eta(paceAfter([5_000, 0]), 5_000)).toBeNull();
    expect(eta(paceAfter([999, 50]), 999)).toBeNull();
    expect(eta(paceAfter([10_000, 20]), 10_000, null)).toBeNull();
    expect(eta(paceAfter([10_000, 20]), 10_000, 100, 'done')).toBeNull();
  });

  it('is at any moment when it is a little late, and cannot be told when it is far too late', () => {
    const pace = paceAfter([10_000, 90]);
    expect(eta(pace, 12_000)).toBe(0);
    expect(eta(pace, 60_000)).toBeNull();
  });

  it('follows a new pace within a minute, and is not thrown about by one slow look', () => {
    const steady = paceAfter([10_000, 10], [20_000, 20], [30_000, 30]);
    expect(eta(steady, 30_000)).toBe(70);
    const slow = nextPace(steady, { done: 31, total: 100, unit }, { nowMs: 34_000, startedMs: 0 });
    expect(eta(slow, 34_000)).toBeLessThan(110);
    let pace = steady;
    for (let ms = 31_000, done = 31; done <= 90; ms += 1_000, done++)
      pace = nextPace(pace, { done, total: 1_000, unit }, { nowMs: ms, startedMs: 0 });
    expect(pace?.unitMs).toBeGreaterThan(999);
    expect(pace?.unitMs).toBeLessThan(1_001);
  });

  it('begins anew when something else is counted, or the work goes back', () => {
    const pace = paceAfter([10_000, 20]);
    const at = { nowMs: 20_000, startedMs: 0 };
    expect(nextPace(pace, { done: 5, total: 9, unit: 'bytes' }, at)).toMatchObject({
      unit: 'bytes',
      done: 5,
      unitMs: null,
    });
    expect(nextPace(pace, { done: 5, total: 100, unit }, at)).toMatchObject({ done: 5, atMs: 20_000, unitMs: null });
    // Not of what was counted before.
    expect(
      etaSeconds({ status: 'running', progress: { done: 1, total: 2, unit: 'bytes' }, ...(pace && { pace }) }, 0),
    ).toBeNull();
  });

  it('is never negative, and the pace always a number, whatever the clock does', () => {
    const looks = fc.array(fc.tuple(fc.integer({ min: -100_000, max: 10_000_000 }), fc.nat(1_000)), { maxLength: 30 });
    fc.assert(
      fc.property(looks, fc.nat(20_000_000), (given, nowMs) => {
        const pace = paceAfter(...given);
        expect(pace?.unitMs ?? 0).toBeGreaterThanOrEqual(0);
        expect(eta(pace, nowMs) ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('the part that is done [K4]', () => {
  it.each([
    [0, 3, 0],
    [2, 3, 66],
    [999, 1_000, 99],
    [3, 3, 100],
    [5, 3, 100],
    [0, 0, 100],
    [7, null, null],
  ])('%i of %s is %s %%', (done, total, percent) => {
    expect(percentOf({ done, total, unit })).toBe(percent);
  });
});
