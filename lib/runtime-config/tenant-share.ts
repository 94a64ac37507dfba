import { createHash } from 'node:crypto';
import type { TenantId } from '../ids.ts';

/**
 * Whether a tenant is of the share of all tenants that tries a new configuration. Each tenant has one place between 0 and 1, the
 * same everywhere and for ever: a larger share has all tenants of a smaller one.
 */
export const isChosen = (tenantId: TenantId, share: number): boolean =>
  createHash('sha256').update(tenantId).digest().readUIntBE(0, 6) / 2 ** 48 < share;
