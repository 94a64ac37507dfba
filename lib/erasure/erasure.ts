/** Deleted tenants: erased when their undo window has ended; where an erasure stands; the receipt it left. */
import { TenantStateError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { TenantReader } from '../tenants/tenant-reader.ts';
import type { ErasureResponse } from './contract.ts';
import { dueErasures } from './due-erasures.ts';
import { createEraseTenant, type EraseReason, type EraseTenantDeps, readReceipt } from './erase-tenant.ts';
import { findRevived } from './revived-tenants.ts';

export interface ErasureDeps extends EraseTenantDeps {
  readonly reader: TenantReader;
  readonly telemetry: Telemetry;
}

export interface ErasureReport {
  readonly erased: number;
  /** Tenants whose erasure failed; the next run goes on with them. */
  readonly failed: number;
  /** False: time ran out. */
  readonly finished: boolean;
}

export type Erasure = ReturnType<typeof createErasure>;

export function createErasure(deps: ErasureDeps) {
  const { reader, telemetry } = deps;
  const eraseTenant = createEraseTenant(deps);

  return {
    /** One pass over the deleted tenants, and a look for erased ones that a backup has brought back. Safe to run twice, or beside itself. */
    async eraseDue(signal?: AbortSignal): Promise<ErasureReport> {
      const report = { erased: 0, failed: 0 };
      const erase = async (id: TenantId, why: EraseReason) => {
        await eraseTenant(id, why, signal).then(
          () => report.erased++,
          (error: unknown) => {
            telemetry.logger.error('A tenant could not be erased yet', { tenant_id: id, error });
            report.failed++;
          },
        );
      };
      for await (const { id, foundMs } of dueErasures(deps, signal)) {
        if (signal?.aborted) return { ...report, finished: false };
        await erase(id, { foundMs });
      }
      for (const id of await findRevived(deps, signal)) {
        telemetry.logger.error('An erased tenant is in Redis again; it is erased once more', { tenant_id: id });
        await erase(id, 'revived');
      }
      return { ...report, finished: true };
    },

    /**
     * Where the erasure of a tenant stands, and its receipt.
     * @throws {NotFoundError} `tenant_not_found`. @throws {TenantStateError} `tenant_not_deleted`.
     */
    async get(id: TenantId, signal?: AbortSignal): Promise<ErasureResponse> {
      const receipt = await readReceipt(deps, id, signal);
      if (receipt !== null) return { tenant_id: id, state: 'erased', receipt };
      const { tenant } = await reader.record(id, signal);
      const { status, deleted_at, erase_at, erasing_since } = tenant;
      if (status !== 'deleted') throw new TenantStateError('tenant_not_deleted', 'This tenant is not deleted');
      return { tenant_id: id, state: erasing_since === undefined ? 'scheduled' : 'erasing', deleted_at, erase_at };
    },
  };
}
