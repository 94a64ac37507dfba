/** A tenant of the demo, and the client that calls with its key. */

import type * as z from 'zod';
import { type Client, createClient } from '../../lib/client/client.ts';
import type { QuotasRequest } from '../../lib/tenants/contract.ts';
import { demandStatus } from './claims.ts';

const CALL_TIMEOUT_MS = 10_000;

export interface ServiceAddress {
  readonly url: string;
  readonly adminKey: string;
}

export interface DemoTenant {
  /** `A`, `B`, `C` */
  readonly name: string;
  readonly id: string;
  readonly key: string;
  readonly client: Client;
  /** Requests sent with its client so far. */
  calls(): number;
}

/**
 * Creates a tenant with one key that may do everything in it.
 * @throws {BrokenClaimError} the service refused.
 */
export async function createDemoTenant(
  { url, adminKey }: ServiceAddress,
  { name, quotas }: { readonly name: string; readonly quotas: z.input<typeof QuotasRequest> },
): Promise<DemoTenant> {
  const admin = createClient({ baseUrl: url, key: adminKey, timeoutMs: CALL_TIMEOUT_MS });
  const owner = { id: 'demo', name: 'Demo', email: 'demo@example.com' };
  const tenant = await admin.createTenant({ body: { name: `Demo ${name}`, owner, quotas } });
  demandStatus(tenant, 201, `Create tenant ${name}`);
  const key = await admin.createKey({ params: { id: tenant.data.id }, body: { name: 'demo' } });
  demandStatus(key, 201, `Create a key for tenant ${name}`);
  let calls = 0;
  const countingFetch: typeof fetch = (input, init) => {
    calls++;
    return fetch(input, init);
  };
  const client = createClient({ baseUrl: url, key: key.data.key, timeoutMs: CALL_TIMEOUT_MS, fetch: countingFetch });
  return { name, id: tenant.data.id, key: key.data.key, client, calls: () => calls };
}
