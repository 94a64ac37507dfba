/** What alerts are about: the quotas. Apart from thresholds.ts: every endpoint of a tenant looks here when it refuses. */
import type { Quotas } from '../config/config.ts';

export type Resource = keyof Quotas;
export const RESOURCES = ['memory_bytes', 'storage_bytes', 'operations_per_minute', 'data_transfer_bytes'] as const;
