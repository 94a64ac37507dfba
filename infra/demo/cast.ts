/** The tenants of one run: made for it, and deleted when it ends, whatever ended it. */
import type { Client } from '../../lib/client/client.ts';
import { demand, demandRefusal, demandStatus } from './claims.ts';
import { createAdmin, createDemoTenant, type DemoTenant, type ServiceAddress, type TenantRequest } from './tenant.ts';

export interface Cast {
  readonly admin: Client;
  /** @throws {BrokenClaimError} the service refused. */
  create(request: TenantRequest): Promise<DemoTenant>;
  /** Of all tenants made so far. */
  ids(): readonly string[];
  /** Deletes them without an undo window. @throws {BrokenClaimError} the service refused. */
  dismiss(): Promise<void>;
  /** The same after a failure: without a word about the answers. */
  abandon(): Promise<void>;
}

/** Their own schedule erases deleted tenants: every five minutes (infra/functions.yml). */
export const ERASED_WITHIN_MINUTES = 5;

/** Less than a call takes: nobody can undo that. */
const UNDO_MS = 100;

export function createCast(service: ServiceAddress): Cast {
  const admin = createAdmin(service);
  const ids: string[] = [];
  const remove = (id: string) => admin.deleteTenant({ params: { id }, query: { undo_seconds: 0 } });
  return {
    admin,
    create: (request) => createDemoTenant({ url: service.url, admin }, request, (id) => ids.push(id)),
    ids: () => [...ids],
    async dismiss() {
      for (const id of ids) {
        const reply = await remove(id);
        demandStatus(reply, 200, `Delete tenant ${id}`);
        const { status, dry_run, deleted_at, erase_at } = reply.data;
        const undoMs = Date.parse(erase_at) - Date.parse(deleted_at);
        demand(status === 'deleted' && !dry_run, `Tenant ${id} is ${status} after it was deleted`);
        demand(undoMs < UNDO_MS, `Tenant ${id} was to be erased at once, and can be undone for ${undoMs} ms`);
      }
    },
    async abandon() {
      await Promise.allSettled(ids.map(remove));
    },
  };
}

/** @returns what was shown. @throws {BrokenClaimError} a deleted tenant is still served. */
export async function proveDeleted({ admin, ids }: Cast, witness: DemoTenant): Promise<string> {
  const refused = await witness.client.whoAmI();
  // Between the deletion and this call the schedule may have erased it: then its key is no longer known.
  const code = !refused.ok && refused.status === 401 ? 'key_unknown' : 'tenant_deleted';
  demandRefusal(refused, { status: code === 'key_unknown' ? 401 : 403, code }, 'A key of a deleted tenant');
  const erasure = await admin.getErasure({ params: { id: witness.id } });
  demandStatus(erasure, 200, `The erasure of tenant ${witness.name}`);
  return `All ${ids().length} tenants are deleted without an undo window: their keys are refused at once, their erasure is ${erasure.data.state}`;
}
