/** What the bench measures: one row for each promise, and what it takes to keep it. */
import { median, type Spread, spreadOf } from './statistics.ts';

/** Where the measured call enters: a function of lib/, a Lambda handler, the HTTP host; `build`: what is deployed. */
export type Layer = 'lib' | 'handler' | 'HTTP' | 'build';

export interface Reach {
  readonly kind: 'atMost' | 'atLeast';
  readonly value: number;
}

export interface Row {
  readonly id: string;
  readonly layer: Layer;
  readonly what: string;
  /** Absent for a row that stands beside another system's claim, or explains another row. */
  readonly reach?: Reach;
  /** What another system says of itself, in its own words: measured elsewhere, so it is no promise here. */
  readonly claim?: string;
  /** `×` is a ratio of ours to the other side. */
  readonly unit: '×' | 'µs' | 'ms' | 'ops/s' | 'MB' | 'KB' | 'B' | 's' | '%' | 'calls' | 'passes' | 'sessions';
  /** The median of the rounds. */
  readonly got: number;
  readonly spread: Spread;
  /** The two sides as they were measured. */
  readonly detail: string;
}

export const atMost = (value: number): Reach => ({ kind: 'atMost', value });
export const atLeast = (value: number): Reach => ({ kind: 'atLeast', value });

/** A row from its rounds: the median and the spread of `values`. @throws {RangeError} there are no values. */
export function rowOf(facts: Omit<Row, 'got' | 'spread'>, values: readonly number[]): Row {
  return { ...facts, got: median(values), spread: spreadOf(values) };
}

export const isReached = ({ kind, value }: Reach, got: number): boolean =>
  kind === 'atMost' ? got <= value : got >= value;
