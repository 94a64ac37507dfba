/** What a tenant is charged for is what it did: operations, entries and bytes, counted by both sides. */
import { demand, demandStatus } from './claims.ts';
import type { DemoTenant } from './tenant.ts';

/**
 * Compares what the service has counted with what this tenant's client has sent. All calls of the tenant have ended.
 * @returns what was shown. @throws {BrokenClaimError}
 */
export async function proveMetering(tenant: DemoTenant, entries: number): Promise<string[]> {
  const reply = await tenant.client.whoAmI();
  demandStatus(reply, 200, `Tenant ${tenant.name}, asking for its usage`);
  const { used } = reply.data;
  const calls = tenant.calls();
  const counted = (what: string, is: number, mustBe: number) =>
    demand(is === mustBe, `Tenant ${tenant.name}: ${what} ${is}, and it must be ${mustBe}`);
  counted('metered operations', used.operations, calls);
  counted('entries', used.entries, entries);
  if (entries === 0) counted('bytes of memory with nothing stored', used.memory_bytes, 0);
  const bytes = entries === 0 ? ' in 0 bytes' : '';
  return [
    `Tenant ${tenant.name}: ${calls} calls sent and as many metered; ${entries} entries${bytes} stand in the service`,
  ];
}
