/**
 * Plan changes within a period. The script that changes a plan leaves a mark in the tenant's billing hash, in the same step:
 *
 *   s:<ms>   <plan until then>\n<field m of the gate at that moment>
 *
 * It is written with HSETNX: of two changes within one millisecond the first says which plan was had until then.
 */
import { type Counters, unpackCounters } from '../gate/counters.ts';
import { type Totals, totalsOf } from '../usage/totals.ts';
import { type Segment, usedBetween } from './quantities.ts';
import { PLANS, type Plan } from './tariff.ts';

export interface PlanMark {
  readonly atMs: number;
  /** Until `atMs`. */
  readonly plan: Plan;
  readonly counters: Counters;
}

export const MARK_PREFIX = 's:';
export const markField = (atMs: number): string => `${MARK_PREFIX}${atMs}`;

/** @param counters the text of field `m`. */
export const packMark = (plan: Plan, counters: string): string => `${plan}\n${counters}`;

/** @throws {RangeError} not a mark. */
export function unpackMark(field: string, text: string): PlanMark {
  const atMs = /^s:(\d{1,16})$/.exec(field)?.[1];
  const [name, counters = ''] = text.split('\n');
  const plan = PLANS.find((known) => known === name);
  if (atMs === undefined || plan === undefined) throw new RangeError('Not the mark of a plan change');
  return { atMs: Number(atMs), plan, counters: unpackCounters(counters) };
}

/** Cut into segments: from one instant to another, with the totals at both. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly from: Totals;
  readonly to: Totals;
}

/**
 * The segments of a span, in order, without gaps. Before a mark its plan was had; after the last one `plan`.
 * @param marks in any order, also those outside of the span: the next one after it says which plan was had in it.
 */
export function segmentsOf(span: Span, marks: readonly PlanMark[], plan: Plan): readonly Segment[] {
  const sorted = [...marks].sort((a, b) => a.atMs - b.atMs);
  const planUntil = (ms: number) => sorted.find(({ atMs }) => atMs >= ms)?.plan ?? plan;
  let next = span.to;
  const cuts = sorted
    .filter(({ atMs }) => atMs > span.fromMs && atMs < span.toMs)
    .map(({ atMs, counters }) => ({ atMs, totals: totalsOf(counters, atMs) }))
    .reverse()
    .map(({ atMs, totals }) => {
      next = within(span.from, totals, next);
      return { atMs, totals: next };
    })
    .reverse();
  let start = { atMs: span.fromMs, totals: span.from };
  return [...cuts, { atMs: span.toMs, totals: span.to }].map((end) => {
    const { atMs: fromMs, totals } = start;
    start = end;
    return { plan: planUntil(end.atMs), fromMs, toMs: end.atMs, used: usedBetween(totals, end.totals) };
  });
}

/**
 * A mark may have counted what was given back after it, as operations are within their minute, or stand out of order after
 * a clock was set back: what came before and after is what counts then, so that segments add up to the whole span.
 */
function within(from: Totals, totals: Totals, next: Totals): Totals {
  const clamped = <T extends number | bigint>(least: T, value: T, most: T): T => {
    const atMost = value > most ? most : value;
    return atMost < least ? least : atMost;
  };
  return {
    ...totals,
    operations: clamped(from.operations, totals.operations, next.operations),
    bytesIn: clamped(from.bytesIn, totals.bytesIn, next.bytesIn),
    bytesOut: clamped(from.bytesOut, totals.bytesOut, next.bytesOut),
    computeUs: clamped(from.computeUs, totals.computeUs, next.computeUs),
    memoryByteMs: clamped(from.memoryByteMs, totals.memoryByteMs, next.memoryByteMs),
    storageByteMs: clamped(from.storageByteMs, totals.storageByteMs, next.storageByteMs),
  };
}
