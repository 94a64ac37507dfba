/** Tenants that nothing limits: refusals are cheaper than answers. */
import type * as z from 'zod';
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { CreateTenantRequest } from '../../lib/tenants/contract.ts';

const QUOTAS = {
  operations_per_minute: 60_000_000,
  memory_bytes: 1_000_000_000,
  storage_bytes: 1_000_000_000,
  data_transfer_bytes: 1_000_000_000_000,
};

export interface BenchTenant {
  readonly id: TenantId;
  readonly apiKey: string;
}

/** Without encryption, unless `changes` say so. */
export const tenantRequest = (changes: Partial<z.input<typeof CreateTenantRequest>> = {}): CreateTenantRequest =>
  CreateTenantRequest.parse({
    name: 'Bench',
    owner: { id: 'bench', name: 'Bench', email: 'bench@riptide.test' },
    quotas: QUOTAS,
    encryption: false,
    ...changes,
  });

/** A tenant with a key that may do everything. */
export async function createTenant(app: App, request: CreateTenantRequest = tenantRequest()): Promise<BenchTenant> {
  const { id } = await app.tenants.create(request);
  const { key } = await app.apiKeys.create(id, { scopes: ['*'], expires_at: null });
  return { id, apiKey: key };
}
