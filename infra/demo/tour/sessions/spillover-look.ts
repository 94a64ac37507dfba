/** What `GET /admin/spillover` says, as the demo looks at it. Pure. */
import type { Client } from '../../../../lib/client/client.ts';
import type { Look, MoveCounters } from './memory-history.ts';

type Reply = Awaited<ReturnType<Client['getSpillover']>>;
export type Spillover = Extract<Reply, { readonly ok: true }>['data'];

/** What sessions of all tenants may hold of Redis. */
export interface Budget {
  readonly maxBytes: number;
  readonly thresholdRatio: number;
}

type Counters = Omit<Look, 'at_ms' | 'phase'>;

export function toLook(stats: Spillover): Counters {
  const { sessions, spilled_sessions, spilled_bytes, budget } = stats;
  return {
    hot: sessions - spilled_sessions,
    hot_bytes: budget.hot_bytes,
    cold: spilled_sessions,
    cold_bytes: spilled_bytes,
    spills: counters(stats.total_spilled, stats.spill_operations, stats.avg_spill_time_ms),
    restores: counters(stats.total_restored, stats.restore_operations, stats.avg_restore_time_ms),
  };
}

const counters = (sessions: number, operations: number, avgMs: number | null): MoveCounters => ({
  sessions,
  operations,
  totalMs: operations * (avgMs ?? 0),
});

/** Of two tenants together. */
export const addLooks = (one: Counters, other: Counters): Counters => ({
  hot: one.hot + other.hot,
  hot_bytes: one.hot_bytes + other.hot_bytes,
  cold: one.cold + other.cold,
  cold_bytes: one.cold_bytes + other.cold_bytes,
  spills: addCounters(one.spills, other.spills),
  restores: addCounters(one.restores, other.restores),
});

const addCounters = (one: MoveCounters, other: MoveCounters): MoveCounters => ({
  sessions: one.sessions + other.sessions,
  operations: one.operations + other.operations,
  totalMs: one.totalMs + other.totalMs,
});
