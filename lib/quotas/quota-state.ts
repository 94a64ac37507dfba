/** How much of each quota is used, held and left. Pure. */

import type { Quotas } from '../config/config.ts';
import type { Use } from '../gate/counters.ts';
import { periodOf } from '../gate/period.ts';
import type { Held } from './held-format.ts';

export type Resource = keyof Quotas;
export const RESOURCES = [
  'memory_bytes',
  'storage_bytes',
  'operations_per_minute',
  'data_transfer_bytes',
] as const satisfies readonly Resource[];

/** Bytes, or operations. */
export interface QuotaState {
  readonly used: number;
  /** Reserved, and neither used nor given back yet; abandoned reservations count until they are freed. */
  readonly held: number;
  readonly limit: number;
  /** Never less than 0: a limit may be lowered below what is used. */
  readonly left: number;
  /** When `used` begins at nothing again, Unix ms; null: never, only removing makes room. */
  readonly resetsAtMs: number | null;
}

/** What the gate holds of a tenant, at an instant. */
export interface QuotaFacts {
  readonly quotas: Quotas;
  readonly counters: Use;
  readonly held: Held;
  readonly nowMs: number;
}

/**
 * The state of one quota. Counters may be as old as the tenant's last call: what a minute or a month has ended since, is
 * nothing. As the scripts see it (redis/scripts/includes/open-gate.lua).
 */
export function quotaState(resource: Resource, { quotas, counters, held, nowMs }: QuotaFacts): QuotaState {
  const limit = quotas[resource];
  switch (resource) {
    case 'memory_bytes':
      return stateOf({ used: counters.memoryBytes, held: held.memoryBytes, limit, resetsAtMs: null });
    case 'storage_bytes':
      return stateOf({ used: counters.storageBytes, held: held.storageBytes, limit, resetsAtMs: null });
    case 'operations_per_minute': {
      const minute = Math.floor(nowMs / MINUTE_MS);
      const used = counters.minute === minute ? counters.operationsThisMinute : 0;
      return stateOf({ used, held: 0, limit, resetsAtMs: (minute + 1) * MINUTE_MS });
    }
    case 'data_transfer_bytes': {
      const isOver = nowMs >= counters.periodEndMs;
      const resetsAtMs = isOver ? periodOf(nowMs).endMs : counters.periodEndMs;
      return stateOf({ used: isOver ? 0 : counters.transferBytes, held: held.transferBytes, limit, resetsAtMs });
    }
  }
}

/** Whether `amount` more fits. */
export const fits = ({ used, held, limit }: Pick<QuotaState, 'used' | 'held' | 'limit'>, amount: number): boolean =>
  used + held + amount <= limit;

const MINUTE_MS = 60_000;

const stateOf = ({ used, held, limit, resetsAtMs }: Omit<QuotaState, 'left'>): QuotaState => ({
  used,
  held,
  limit,
  left: Math.max(0, limit - used - held),
  resetsAtMs,
});
