/** Series against a model: every call is counted once, in the bucket it was made in, from the points alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../lib/errors.ts';
import { rangeOf } from '../../lib/usage/range.ts';
import { bucketsOf, KEPT, STEP_MS, STEPS, type Step } from '../../lib/usage/series.ts';
import { readHistory, totalsAt } from '../../lib/usage/totals.ts';
import { type Call, countersText, MINUTE_MS, modelGate } from '../support/counters-text.ts';

const START = Date.UTC(2026, 9, 30, 22, 58);
const COVERED = { minute: 60, hour: 24, day: 31 } as const;

/** Gaps of minutes, hours and days, so that rings go round with holes in them. */
const gapMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 * MINUTE_MS }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 150 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * STEP_MS.day }) },
);
const calls = fc
  .array(fc.record({ gapMs, memoryBytes: fc.nat(1_000), bytesOut: fc.nat(1_000) }), { minLength: 1, maxLength: 400 })
  .map((steps) => {
    let atMs = START;
    return steps.map(({ gapMs: gap, ...rest }): Call => {
      atMs += gap;
      return { atMs, ...rest };
    });
  });

/** One call in some of the buckets of a step: more of them than the ring has slots, so that old points are written over. */
const everySoOften = (step: Step) =>
  fc.array(fc.boolean(), { minLength: KEPT[step] - 3, maxLength: KEPT[step] + 90 }).map((busy) => {
    const all = busy.flatMap((isBusy, i): Call[] =>
      isBusy ? [{ atMs: START + i * STEP_MS[step] + 1_000, memoryBytes: i % 7, bytesOut: i }] : [],
    );
    return all.length === 0 ? [{ atMs: START, memoryBytes: 1, bytesOut: 1 }] : all;
  });

function made(all: readonly Call[]) {
  const gate = modelGate();
  for (const call of all) gate.call(call);
  return readHistory([...gate.fields.values()]);
}

/** Byte-milliseconds from one instant to another, summed up call by call. */
function heldBetween(all: readonly Call[], fromMs: number, toMs: number): bigint {
  return all.reduce((sum, { atMs, memoryBytes }, i) => {
    const until = Math.min(all[i + 1]?.atMs ?? toMs, toMs);
    const since = Math.max(atMs, fromMs);
    return until > since ? sum + BigInt(memoryBytes) * BigInt(until - since) : sum;
  }, 0n);
}

describe('a series of usage [T6]', () => {
  it.each(STEPS)('by %s says what was done in each bucket, and in no other', (step) => {
    fc.assert(
      fc.property(fc.oneof(calls, everySoOften(step)), fc.nat(90 * MINUTE_MS), (all, later) => {
        const nowMs = (all.at(-1) as Call).atMs + later;
        const range = rangeOf({ step, fromMs: oldest(step, nowMs) }, nowMs);
        if (range === null) throw new Error('a series was asked for');
        const buckets = bucketsOf(made(all), range, nowMs);
        for (const { fromMs, toMs, before, after } of buckets) {
          const own = all.filter(({ atMs }) => atMs >= fromMs && (atMs < toMs || toMs === nowMs));
          expect(after.operations - before.operations).toBe(own.length);
          expect(after.bytesOut - before.bytesOut).toBe(own.reduce((sum, { bytesOut }) => sum + bytesOut, 0));
          expect(after.memoryByteMs - before.memoryByteMs).toBe(heldBetween(all, fromMs, toMs));
        }
        // Only the oldest may be unknown; from then on there is no gap.
        const first = buckets[0]?.fromMs ?? nowMs;
        expect(buckets.map(({ fromMs }) => fromMs)).toEqual(buckets.map((_, i) => first + i * STEP_MS[step]));
        expect(first - range.fromMs).toBeLessThanOrEqual(COVERED[step] * STEP_MS[step]);
      }),
      { numRuns: 100 },
    );
  });

  it('of a tenant that did nothing is all zeros', () => {
    const nowMs = START + 30_000;
    const range = rangeOf({ step: 'minute' }, nowMs);
    const buckets = bucketsOf(readHistory([countersText({})]), range as NonNullable<typeof range>, nowMs);
    expect(buckets).toHaveLength(60);
    expect(buckets.every(({ after }) => after.operations === 0)).toBe(true);
  });
});

describe('a series after a clock was set back [T6]', () => {
  const at = (minute: number, operations: number, memoryBytes: number, memoryByteMs: bigint) =>
    countersText({ minute, operations, memoryBytes, memoryByteMs, stockAtMs: minute * MINUTE_MS });
  // Minute 101 came first, then 100 once more, in which something was stored.
  const ahead = at(101, 103, 0, 0n);
  const setBack = at(100, 105, 1_000, 0n);

  it.each([
    ['while it is behind', [setBack, ahead]],
    ['when it has caught up', [at(103, 106, 0, 1_000n * 180_000n), setBack, ahead]],
  ])('takes nothing back %s', (_when, texts) => {
    const range = { step: 'minute', fromMs: 99 * MINUTE_MS, toMs: 104 * MINUTE_MS } as const;
    const buckets = bucketsOf(readHistory(texts), range, 103 * MINUTE_MS + 30_000);
    expect(buckets).toHaveLength(5);
    expect(buckets.map(({ before, after }) => after.operations - before.operations >= 0)).not.toContain(false);
    expect(buckets.map(({ before, after }) => after.memoryByteMs - before.memoryByteMs >= 0n)).not.toContain(false);
    const [first, last] = [buckets[0]?.before, buckets.at(-1)?.after];
    expect([first?.operations, last?.operations]).toEqual([0, texts.length === 2 ? 105 : 106]);
  });
});

describe('totals at an instant [T6 T7]', () => {
  it('come from the last state before it, with byte-time up to it', () => {
    const old = countersText({ minute: 100, operations: 3, memoryBytes: 10, stockAtMs: 6_000_500, memoryByteMs: 7n });
    const latest = countersText({
      minute: 103,
      operations: 9,
      memoryBytes: 20,
      stockAtMs: 6_180_000,
      memoryByteMs: 99n,
    });
    const history = readHistory([latest, null, old, old]);
    expect(totalsAt(history, 6_000_000).operations).toBe(0);
    expect(totalsAt(history, 6_060_000)).toMatchObject({ operations: 3, memoryByteMs: 7n + 10n * 59_500n });
    expect(totalsAt(history, 6_180_000).operations).toBe(3);
    expect(totalsAt(history, 6_240_000)).toMatchObject({ operations: 9, memoryByteMs: 99n + 20n * 60_000n });
  });

  it('counts no byte-time of counters that never knew any', () => {
    const history = readHistory(['m1,0,0,100,1,5,0,0,0,0,0,1000,1,1']);
    expect(totalsAt(history, 6_060_000)).toMatchObject({ operations: 5, memoryBytes: 1_000, memoryByteMs: 0n });
  });
});

describe('the range of a series [T6 A6]', () => {
  const now = Date.UTC(2026, 10, 21, 12, 30, 30);
  const iso = (ms: number | undefined) => new Date(ms ?? 0).toISOString();
  const refusal = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error instanceof AppError ? error.issues?.[0] : error;
    }
    return undefined;
  };

  it('is none unless one is asked for', () => {
    expect(rangeOf({}, now)).toBeNull();
  });

  it.each([
    ['minute', '2026-11-21T11:31:00.000Z', '2026-11-21T12:31:00.000Z'],
    ['hour', '2026-11-20T13:00:00.000Z', '2026-11-21T13:00:00.000Z'],
    ['day', '2026-10-23T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
  ] as const)('by %s ends with the current bucket', (step, from, to) => {
    const range = rangeOf({ step }, now);
    expect([iso(range?.fromMs), iso(range?.toMs)]).toEqual([from, to]);
  });

  it('takes the finest step that reaches back', () => {
    expect(rangeOf({ fromMs: now - 100 * MINUTE_MS }, now)?.step).toBe('minute');
    expect(rangeOf({ fromMs: now - 5 * STEP_MS.hour }, now)?.step).toBe('hour');
    expect(rangeOf({ fromMs: now - 9 * STEP_MS.day }, now)?.step).toBe('day');
  });

  it('says which step to ask for where one is too fine', () => {
    expect(refusal(() => rangeOf({ step: 'minute', fromMs: now - STEP_MS.day }, now))).toEqual({
      field: 'query.from',
      message: 'step=minute reaches back 120 minutes; ask for step=hour, or ask from 2026-11-21T10:31:00.000Z',
    });
    expect(refusal(() => rangeOf({ fromMs: now - 500 * STEP_MS.day }, now))).toMatchObject({
      message: 'step=day reaches back 400 days; ask from 2025-10-18T00:00:00.000Z',
    });
  });

  it('refuses what is empty or to come', () => {
    expect(refusal(() => rangeOf({ fromMs: now, toMs: now }, now))).toMatchObject({ message: 'must be before `to`' });
    expect(refusal(() => rangeOf({ fromMs: now + 1 }, now))).toMatchObject({ message: 'must not be in the future' });
  });

  it('never has more buckets than are kept', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STEPS), fc.nat(), (step, back) => {
        const ms = STEP_MS[step];
        const range = rangeOf({ step, fromMs: Math.max(oldest(step, now), now - back) }, now);
        const count = ((range?.toMs ?? 0) - (range?.fromMs ?? 0)) / ms;
        expect(Number.isInteger(count) && count >= 1 && count <= KEPT[step]).toBe(true);
      }),
    );
  });
});

/** Start of the oldest bucket that can be asked for. */
const oldest = (step: Step, nowMs: number) => (Math.floor(nowMs / STEP_MS[step]) - KEPT[step] + 1) * STEP_MS[step];
