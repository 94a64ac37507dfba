/** What a series of looks at the service's memory says. Pure. */
import type { MemoryMoment, Moves } from './figures.ts';

/** What the service says of its moves until now. */
export interface MoveCounters {
  readonly sessions: number;
  readonly operations: number;
  /** Of all operations. */
  readonly totalMs: number;
}

/** One look. */
export interface Look extends MemoryMoment {
  readonly spills: MoveCounters;
  readonly restores: MoveCounters;
}

/**
 * So many moments evenly spread over the time: each the one with the most hot bytes of its part, so that a short peak stays to be
 * seen. A part without a look is as the one before.
 */
export function toMoments(looks: readonly Look[], count: number): readonly MemoryMoment[] {
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined) return [];
  const partMs = Math.max(1, last.at_ms - first.at_ms) / count;
  const fullest = new Map<number, Look>();
  for (const look of looks) {
    const part = Math.min(count - 1, Math.floor((look.at_ms - first.at_ms) / partMs));
    const other = fullest.get(part);
    if (other === undefined || look.hot_bytes >= other.hot_bytes) fullest.set(part, look);
  }
  let before = first;
  return Array.from({ length: count }, (_, part) => {
    before = fullest.get(part) ?? before;
    return toMoment(before);
  });
}

export function toMoment({ at_ms, phase, hot, hot_bytes, cold, cold_bytes }: MemoryMoment): MemoryMoment {
  return { at_ms: Math.round(at_ms), phase, hot, hot_bytes, cold, cold_bytes };
}

export const peakBytes = (looks: readonly MemoryMoment[]): number =>
  looks.reduce((most, { hot_bytes }) => Math.max(most, hot_bytes), 0);

/** How sessions went one way, between the first look and the last. */
export function movesOf(looks: readonly Look[], move: Moves['move']): Moves {
  const counters = looks.map((look) => (move === 'spill' ? look.spills : look.restores));
  const [first, last] = [counters[0], counters.at(-1)];
  const all = first === undefined || last === undefined ? NONE : since(first, last);
  const parts = counters.slice(1).map((next, i) => since(counters[i] as MoveCounters, next));
  const averages = parts.filter(({ operations }) => operations > 0).map(averageMs);
  return {
    move,
    sessions: all.sessions,
    operations: all.operations,
    avg_ms: round(all.operations === 0 ? 0 : averageMs(all)),
    p50_ms: rank(averages, 0.5),
    p95_ms: rank(averages, 0.95),
  };
}

const NONE: MoveCounters = { sessions: 0, operations: 0, totalMs: 0 };

const since = (first: MoveCounters, last: MoveCounters): MoveCounters => ({
  sessions: last.sessions - first.sessions,
  operations: last.operations - first.operations,
  totalMs: last.totalMs - first.totalMs,
});

const averageMs = ({ totalMs, operations }: MoveCounters) => totalMs / operations;

function rank(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return value === undefined ? null : round(value);
}

const round = (ms: number) => Number(ms.toFixed(3));
