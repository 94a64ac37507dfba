/** The sessions of all tenants together, as a pass has summed them up, and as that is stored: JSON. */
import type { TenantId } from '../../../ids.ts';
import { addMoves, NO_MOVES, type SpillMoves } from './spill-counters.ts';

/** Bytes. */
export interface SpillSum {
  /** Unix ms; 0: nothing was summed up yet. */
  readonly asOfMs: number;
  /** Tenants that have, or had, part of the memory. */
  readonly tenants: number;
  readonly hotBytes: number;
  readonly sessions: number;
  readonly spilledSessions: number;
  readonly spilledBytes: number;
  readonly moves: SpillMoves;
  /** Those with the most hot bytes, first. */
  readonly busiest: readonly BusyTenant[];
}

export interface BusyTenant {
  readonly id: TenantId;
  readonly hotBytes: number;
  readonly shareBytes: number;
}

/** What is summed up of one. */
export interface SummedTenant extends BusyTenant {
  readonly sessions: number;
  readonly spilled: number;
  readonly spilledBytes: number;
  readonly moves: SpillMoves;
}

export const NO_SPILL_SUM: SpillSum = {
  asOfMs: 0,
  tenants: 0,
  hotBytes: 0,
  sessions: 0,
  spilledSessions: 0,
  spilledBytes: 0,
  moves: NO_MOVES,
  busiest: [],
};

const BUSIEST = 10;
const VERSION = 1;

export function sumUp(tenants: readonly SummedTenant[], asOfMs: number): SpillSum {
  const ofAll = (amount: (tenant: SummedTenant) => number) => tenants.reduce((sum, one) => sum + amount(one), 0);
  return {
    asOfMs,
    tenants: tenants.length,
    hotBytes: ofAll(({ hotBytes }) => hotBytes),
    sessions: ofAll(({ sessions }) => sessions),
    spilledSessions: ofAll(({ spilled }) => spilled),
    spilledBytes: ofAll(({ spilledBytes }) => spilledBytes),
    moves: tenants.reduce((sum, { moves }) => addMoves(sum, moves), NO_MOVES),
    busiest: tenants
      .filter(({ hotBytes }) => hotBytes > 0)
      .sort((one, other) => other.hotBytes - one.hotBytes || (one.id < other.id ? -1 : 1))
      .slice(0, BUSIEST)
      .map(({ id, hotBytes, shareBytes }) => ({ id, hotBytes, shareBytes })),
  };
}

export const packSpillSum = (sum: SpillSum): string => JSON.stringify({ version: VERSION, ...sum });

/** What another version has written is as if nothing was: the next pass replaces it. */
export function unpackSpillSum(text: string): SpillSum {
  const { version, ...sum } = JSON.parse(text) as SpillSum & { readonly version: number };
  return version === VERSION ? sum : NO_SPILL_SUM;
}
