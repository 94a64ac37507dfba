import type { TenantId } from '../ids.ts';

/** Where a tenant's records are, for work outside the gate. */
export interface TenantPlace {
  readonly id: TenantId;
  readonly generation: number;
  readonly signal?: AbortSignal | undefined;
}
