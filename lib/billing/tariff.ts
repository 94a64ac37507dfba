/** Price lists: for each plan what is included and what more costs, all in whole numbers. */
import type { Period } from '../gate/period.ts';

export const PLANS = ['free', 'starter', 'professional', 'enterprise'] as const;
export type Plan = (typeof PLANS)[number];

/** Prices are micro-units of the currency; what is included holds for a whole month. */
export interface PlanPrices {
  readonly base_fee_micros: number;
  readonly operations: { readonly included: number; readonly micros_per_million: number };
  readonly data_transfer: { readonly included_bytes: number; readonly micros_per_gib: number };
  readonly compute: { readonly included_ms: number; readonly micros_per_hour: number };
  /** Bytes in Redis, held for the whole month. */
  readonly hot_storage: { readonly included_bytes: number; readonly micros_per_gib_month: number };
  /** Bytes in S3. */
  readonly cold_storage: { readonly included_bytes: number; readonly micros_per_gib_month: number };
}

export interface Tariff {
  readonly version: string;
  /** The first month it prices, as `2026-11`. */
  readonly effective_from: string;
  readonly plans: Readonly<Record<Plan, PlanPrices>>;
}

/**
 * The tariff in force when a period starts; of a month before all of them, the first.
 * @param tariffs at least one, by `effective_from`.
 */
export function tariffOf(tariffs: readonly Tariff[], { name }: Period): Tariff {
  return tariffs.findLast(({ effective_from }) => effective_from <= name) ?? (tariffs[0] as Tariff);
}
