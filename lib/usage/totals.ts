/** What a tenant has used since it was created, at any instant: from its counters and the points kept of them. */
import { type Counters, unpackCounters } from '../gate/counters.ts';
import type { SessionCounters } from './session-stock.ts';

/** All but the stocks only ever grow: the difference of two is what was used between them. */
export interface Totals extends SessionCounters {
  readonly operations: number;
  readonly hits: number;
  readonly misses: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly computeUs: number;
  /** What reads of the cache took. */
  readonly accessUs: number;
  /** What is held at that instant. */
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly entries: number;
  /** Bytes held, times the milliseconds they were. */
  readonly memoryByteMs: bigint;
  readonly storageByteMs: bigint;
}

/** Of a tenant that did nothing yet. */
export const NO_TOTALS: Totals = {
  operations: 0,
  hits: 0,
  misses: 0,
  bytesIn: 0,
  bytesOut: 0,
  computeUs: 0,
  accessUs: 0,
  memoryBytes: 0,
  storageBytes: 0,
  entries: 0,
  sessions: 0,
  hotSessionBytes: 0,
  spilledSessions: 0,
  spilledBytes: 0,
  memoryByteMs: 0n,
  storageByteMs: 0n,
};

/** Points and the counters themselves, as they followed each other: by month, which a clock set back does not reopen, and minute. */
export type History = readonly Counters[];

/**
 * A state that knows less than one of an earlier minute is older than that: a clock was set back since, and it is left out.
 * @param texts fields of a gate; absent ones are left out. @throws {RangeError} one that no script wrote.
 */
export function readHistory(texts: readonly (string | null)[]): History {
  const states = [...new Set(texts.filter((text) => text !== null))].map(unpackCounters);
  states.sort((a, b) => a.periodEndMs - b.periodEndMs || a.minute - b.minute || a.operations - b.operations);
  let most = 0;
  return states.filter(({ operations }) => {
    const isOlder = operations < most;
    most = Math.max(most, operations);
    return !isOlder;
  });
}

/** The last state whose minute began before `atMs`; undefined: none is known. */
export const lastBefore = (history: History, atMs: number): Counters | undefined =>
  history.findLast(({ minute }) => minute * 60_000 < atMs);

/**
 * At the end of a month: what was counted before it, and byte-time up to it. A state of a later month is none of it, also
 * where a clock set back gave it a minute of before.
 */
export function totalsAt(history: History, monthEndMs: number): Totals {
  const state = lastBefore(
    history.filter(({ periodEndMs }) => periodEndMs <= monthEndMs),
    monthEndMs,
  );
  return state === undefined ? NO_TOTALS : totalsOf(state, monthEndMs);
}

/** A state as it stands at `atMs`, when nothing has changed since. Its bytes were held all that time. */
export function totalsOf(state: Counters, atMs: number): Totals {
  const { operations, hits, misses, bytesIn, bytesOut, computeUs, accessUs, memoryBytes, storageBytes, entries } =
    state;
  const { sessions, hotSessionBytes, spilledSessions, spilledBytes } = state;
  // 0: of format m1, whose byte-time begins when the first script meets it. A clock set back takes no time away.
  const sinceMs = state.stockAtMs === 0 ? 0n : BigInt(Math.max(0, atMs - state.stockAtMs));
  return {
    operations,
    hits,
    misses,
    bytesIn,
    bytesOut,
    computeUs,
    accessUs,
    memoryBytes,
    storageBytes,
    entries,
    sessions,
    hotSessionBytes,
    spilledSessions,
    spilledBytes,
    memoryByteMs: state.memoryByteMs + BigInt(memoryBytes) * sinceMs,
    storageByteMs: state.storageByteMs + BigInt(storageBytes) * sinceMs,
  };
}
