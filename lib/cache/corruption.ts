import { CorruptValueError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Telemetry } from '../metrics/telemetry.ts';

export type Corruption = ReturnType<typeof createCorruption>;

/** Tells stored values that failed their check apart, and makes them known: a log line and a metric, no value. */
export function createCorruption({ telemetry }: { readonly telemetry: Telemetry }) {
  return {
    is: (error: unknown): boolean => error instanceof CorruptValueError,
    report(tenantId: TenantId): void {
      telemetry.logger.error('A stored cache entry failed its check; it was removed', { tenant_id: tenantId });
      telemetry.count('riptide_cache_corrupt_total');
    },
  };
}
