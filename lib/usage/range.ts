/** Which buckets of usage are asked for: pure. */

import { InvalidRequestError } from '../errors.ts';
import { isoOf } from '../iso-time.ts';
import { KEPT, type SeriesRange, STEP_MS, STEPS, type Step } from './series.ts';

export interface AskedRange {
  /** Unix ms. Default: {@link DEFAULT_BUCKETS} before `toMs`. */
  readonly fromMs?: number | undefined;
  /** Default: now. */
  readonly toMs?: number | undefined;
  /** Default: the finest that reaches back to `fromMs`. */
  readonly step?: Step | undefined;
}

const DEFAULT_BUCKETS: Readonly<Record<Step, number>> = { minute: 60, hour: 24, day: 30 };

/** @returns null when no series is asked for. @throws {InvalidRequestError} the range is empty, to come, or too long ago. */
export function rangeOf(asked: AskedRange, nowMs: number): SeriesRange | null {
  if (asked.fromMs === undefined && asked.toMs === undefined && asked.step === undefined) return null;
  const toMs = Math.min(asked.toMs ?? nowMs, nowMs);
  const step = asked.step ?? finest(asked.fromMs ?? toMs - DEFAULT_BUCKETS.minute * STEP_MS.minute, nowMs) ?? 'day';
  const ms = STEP_MS[step];
  const oldestMs = oldestOf(step, nowMs);
  const end = Math.ceil(toMs / ms) * ms;
  const fromMs = Math.floor((asked.fromMs ?? end - DEFAULT_BUCKETS[step] * ms) / ms) * ms;
  if (asked.fromMs !== undefined && asked.fromMs > nowMs) throw refused('query.from', 'must not be in the future');
  if (asked.fromMs !== undefined && asked.toMs !== undefined && asked.fromMs >= asked.toMs) {
    throw refused('query.from', 'must be before `to`');
  }
  if (fromMs < oldestMs) throw tooOld(step, fromMs, nowMs);
  return { step, fromMs, toMs: Math.max(end, fromMs + ms) };
}

const oldestOf = (step: Step, nowMs: number) => (Math.floor(nowMs / STEP_MS[step]) - KEPT[step] + 1) * STEP_MS[step];

const finest = (fromMs: number, nowMs: number): Step | undefined =>
  STEPS.find((step) => Math.floor(fromMs / STEP_MS[step]) * STEP_MS[step] >= oldestOf(step, nowMs));

function tooOld(step: Step, fromMs: number, nowMs: number): InvalidRequestError {
  const coarser = finest(fromMs, nowMs);
  const from = `ask from ${isoOf(oldestOf(step, nowMs))}`;
  const advice = coarser === undefined ? from : `ask for step=${coarser}, or ${from}`;
  return refused('query.from', `step=${step} reaches back ${KEPT[step]} ${step}s; ${advice}`);
}

const refused = (field: string, message: string) =>
  new InvalidRequestError('This range of usage cannot be given', { issues: [{ field, message }] });
