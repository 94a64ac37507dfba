/** The tariffs of a deployment that states none: an example to start from, in any currency. */
import type { Tariff } from './tariff.ts';

const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;
const NOTHING = { included_bytes: 0, micros_per_gib_month: 0 };

export const DEFAULT_TARIFFS: readonly Tariff[] = [
  {
    version: '2026-01',
    effective_from: '2026-01',
    plans: {
      // Held by its quotas alone.
      free: {
        base_fee_micros: 0,
        operations: { included: 0, micros_per_million: 0 },
        data_transfer: { included_bytes: 0, micros_per_gib: 0 },
        compute: { included_ms: 0, micros_per_hour: 0 },
        hot_storage: NOTHING,
        cold_storage: NOTHING,
      },
      starter: {
        base_fee_micros: 9_000_000,
        operations: { included: 10_000_000, micros_per_million: 400_000 },
        data_transfer: { included_bytes: 10 * GIB, micros_per_gib: 90_000 },
        compute: { included_ms: 10 * HOUR_MS, micros_per_hour: 100_000 },
        hot_storage: { included_bytes: GIB / 4, micros_per_gib_month: 4_000_000 },
        cold_storage: { included_bytes: 5 * GIB, micros_per_gib_month: 40_000 },
      },
      professional: {
        base_fee_micros: 49_000_000,
        operations: { included: 100_000_000, micros_per_million: 300_000 },
        data_transfer: { included_bytes: 100 * GIB, micros_per_gib: 80_000 },
        compute: { included_ms: 100 * HOUR_MS, micros_per_hour: 80_000 },
        hot_storage: { included_bytes: 2 * GIB, micros_per_gib_month: 3_000_000 },
        cold_storage: { included_bytes: 50 * GIB, micros_per_gib_month: 30_000 },
      },
      enterprise: {
        base_fee_micros: 499_000_000,
        operations: { included: 2_000_000_000, micros_per_million: 200_000 },
        data_transfer: { included_bytes: 1_024 * GIB, micros_per_gib: 60_000 },
        compute: { included_ms: 1_000 * HOUR_MS, micros_per_hour: 60_000 },
        hot_storage: { included_bytes: 20 * GIB, micros_per_gib_month: 2_000_000 },
        cold_storage: { included_bytes: 1_024 * GIB, micros_per_gib_month: 25_000 },
      },
    },
  },
];
