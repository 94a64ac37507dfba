/** A tenant of the demo, and the client that calls with its key. */
import type * as z from 'zod';
import { type Client, createClient } from '../../lib/client/client.ts';
import type { CreateTenantRequest } from '../../lib/tenants/contract.ts';
import { demandStatus } from './claims.ts';

const CALL_TIMEOUT_MS = 10_000;

export interface ServiceAddress {
  readonly url: string;
  readonly adminKey: string;
}

/** What a tenant is made with, beside what the demo says of every one. */
export interface TenantRequest extends Omit<z.input<typeof CreateTenantRequest>, 'name' | 'owner'> {
  /** `A`, `B`, `C`, or what it is there for. */
  readonly name: string;
}

export interface DemoTenant {
  readonly name: string;
  readonly id: string;
  readonly plan: string;
  /** As the deployment decided, where the request said nothing. */
  readonly isEncrypted: boolean;
  readonly key: string;
  readonly keyId: string;
  readonly client: Client;
  /** Requests sent with its client so far. */
  calls(): number;
}

/** The administrator's own client. */
export const createAdmin = ({ url, adminKey }: ServiceAddress): Client =>
  createClient({ baseUrl: url, key: adminKey, timeoutMs: CALL_TIMEOUT_MS });

/** A client that calls with a tenant's key. */
export const createTenantClient = (url: string, key: string, fetch?: typeof globalThis.fetch): Client =>
  createClient({ baseUrl: url, key, timeoutMs: CALL_TIMEOUT_MS, ...(fetch === undefined ? {} : { fetch }) });

/**
 * Creates a tenant with one key that may do everything in it.
 * @param onCreated told its id before anything else can fail. @throws {BrokenClaimError} the service refused.
 */
export async function createDemoTenant(
  { url, admin }: { readonly url: string; readonly admin: Client },
  { name, ...settings }: TenantRequest,
  onCreated: (id: string) => void,
): Promise<DemoTenant> {
  const owner = { id: 'demo', name: 'Demo', email: 'demo@example.com' };
  const tenant = await admin.createTenant({ body: { name: `Demo ${name}`, owner, ...settings } });
  demandStatus(tenant, 201, `Create tenant ${name}`);
  const { id, plan, encryption } = tenant.data;
  onCreated(id);
  const key = await admin.createKey({ params: { id }, body: { name: 'demo' } });
  demandStatus(key, 201, `Create a key for tenant ${name}`);
  let calls = 0;
  const countingFetch: typeof fetch = (input, init) => {
    calls++;
    return fetch(input, init);
  };
  const client = createTenantClient(url, key.data.key, countingFetch);
  const known = { name, id, plan, isEncrypted: encryption, key: key.data.key, keyId: key.data.id };
  return { ...known, client, calls: () => calls };
}
