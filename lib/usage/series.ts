/**
 * Usage by minute, hour or day, from the points the gate keeps: pure.
 *
 * A point is what the counters were when a minute (an hour, a day) with work in it had ended; it stays until the same slot is
 * needed again, 180 minutes (192 hours, 431 days) of work later. Points of hours, days and months stand in for those of
 * minutes that are gone, so the counters at the start of every bucket that can be asked for are known. Where they are not, after
 * the clock was set, the bucket is left out.
 */
import {
  type Counters,
  KEPT_DAYS,
  KEPT_HOURS,
  KEPT_MINUTES,
  RING_DAYS,
  RING_HOURS,
  RING_MINUTES,
} from '../gate/counters.ts';
import { type History, lastBefore, NO_TOTALS, type Totals, totalsOf } from './totals.ts';

export const STEPS = ['minute', 'hour', 'day'] as const;
export type Step = (typeof STEPS)[number];

export const STEP_MS: Readonly<Record<Step, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** Buckets that can be asked for, the current one included. */
export const KEPT: Readonly<Record<Step, number>> = { minute: KEPT_MINUTES, hour: KEPT_HOURS, day: KEPT_DAYS };
/** Slots a point of each kind may have. */
const RING: Readonly<Record<Step, number>> = { minute: RING_MINUTES, hour: RING_HOURS, day: RING_DAYS };
/** The longest time that the next coarser point covers, in buckets. */
const COVERED: Readonly<Record<Step, number>> = { minute: 60, hour: 24, day: 31 };

export interface Bucket {
  readonly fromMs: number;
  readonly toMs: number;
  readonly before: Totals;
  readonly after: Totals;
}

export interface SeriesRange {
  readonly step: Step;
  /** Both whole steps; `toMs` may be later than now: the current bucket ends now. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Every bucket of the range that is known, also those in which nothing was done. */
export function bucketsOf(history: History, { step, fromMs, toMs }: SeriesRange, nowMs: number): readonly Bucket[] {
  const ms = STEP_MS[step];
  const buckets: Bucket[] = [];
  let before = totalsBefore(history, step, fromMs);
  for (let at = fromMs; at < toMs && at <= nowMs; at += ms) {
    const after = at + ms > nowMs ? totalsNow(history, nowMs) : totalsBefore(history, step, at + ms);
    if (before !== null && after !== null) {
      buckets.push({ fromMs: at, toMs: Math.min(at + ms, nowMs), before, after });
    }
    before = after;
  }
  return buckets;
}

/** At the start of a bucket; null: no longer known. */
function totalsBefore(history: History, step: Step, atMs: number): Totals | null {
  const state = lastBefore(history, atMs);
  if (!isKnown(history, { step, atMs, state })) return null;
  return state === undefined ? NO_TOTALS : totalsOf(state, atMs);
}

/** Whether `state` is the last one before `atMs`, and not only the last of those that are kept. */
function isKnown(
  history: History,
  { step, atMs, state }: { step: Step; atMs: number; state: Counters | undefined },
): boolean {
  const latest = history.at(-1);
  // Nothing was done since: the counters themselves are the last state.
  if (latest === undefined || latest === state) return true;
  const bucket = ({ minute }: Counters) => Math.floor((minute * STEP_MS.minute) / STEP_MS[step]);
  const oldestKept = bucket(latest) - RING[step];
  // A state whose slot was taken by a later one was the last of a coarser point, if that much time lies behind it.
  if (atMs / STEP_MS[step] >= oldestKept + COVERED[step]) return true;
  return state !== undefined && bucket(state) >= oldestKept;
}

function totalsNow(history: History, nowMs: number): Totals {
  const latest = history.at(-1);
  return latest === undefined ? NO_TOTALS : totalsOf(latest, nowMs);
}
