/** Usage by minute: what the tenants did, from the counters that enforced and billed it. */
import type { Client } from '../../../lib/client/client.ts';
import { demand, demandStatus } from '../claims.ts';
import type { DemoTenant } from '../tenant.ts';

export interface UsageMinute {
  readonly tenant: string;
  /** When the minute began. */
  readonly at: string;
  readonly operations: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

/** The minutes in which something was done. @throws {BrokenClaimError} they do not add up to what was metered in all. */
export async function proveUsage(admin: Client, tenants: readonly DemoTenant[]): Promise<readonly UsageMinute[]> {
  const minutes: UsageMinute[] = [];
  for (const { id, name } of tenants) {
    const reply = await admin.getTenantUsage({ params: { id }, query: { step: 'minute' } });
    demandStatus(reply, 200, `The usage of tenant ${name} by minute`);
    const { series, total } = reply.data;
    const busy = (series?.items ?? []).filter(({ operation_count }) => operation_count > 0);
    const sum = busy.reduce((operations, { operation_count }) => operations + operation_count, 0);
    demand(
      sum === total.operation_count,
      `Tenant ${name}: its minutes have ${sum} operations, and it has ${total.operation_count}`,
    );
    for (const { timestamp, operation_count, bytes_in, bytes_out } of busy)
      minutes.push({ tenant: name, at: timestamp, operations: operation_count, bytes_in, bytes_out });
  }
  return minutes;
}
