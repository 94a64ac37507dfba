/**
 * Removes what has expired or was invalidated, tombstones that have done their work, and objects in S3 that nothing uses, tenant
 * by tenant, by ranges of their indexes: cost in proportion to what is removed.
 */
import type { DoomedObjects } from '../cleaning/doomed-objects.ts';
import { createDueTenants, type DueExpiries, type DueTenant } from '../cleaning/due-tenants.ts';
import type { OldGenerations } from '../cleaning/old-generations.ts';
import type { Tombstones } from '../cleaning/tombstones.ts';
import { BlobUnavailableError } from '../errors.ts';
import { EXPIRED_BATCH, type ExpiredRecords } from '../gate/expired-records.ts';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { tenantPages } from '../tenants/tenant-pages.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { Reclaim } from './invalidation/reclaim.ts';

export interface CleanUpReport {
  readonly tenants: number;
  readonly removed: number;
  readonly bytesFreed: number;
  /** Removed because they were invalidated. */
  readonly reclaimed: number;
  /** Of generations of data that others have taken the place of. */
  readonly superseded: number;
  /** Of sessions that were terminated, and could not live any more. */
  readonly tombstones: number;
  /** Deleted from S3. */
  readonly objects: number;
  /** Tenants whose gate or index could not be read: they are left as they are, and told of in the log. */
  readonly unreadable: number;
  /** False: time ran out, or S3 did not answer; the next run goes on. */
  readonly finished: boolean;
}

/** Of an old generation of one tenant, in one run: others wait. */
const MAX_PAGES = 250;

/** One run over all tenants. */
interface Pass {
  readonly signal: AbortSignal | undefined;
  readonly unreadable: Set<TenantId>;
  /** S3 did not answer: it is not asked again, and what needs Redis only goes on. */
  storeFailed: boolean;
}

export type CleanUp = ReturnType<typeof createCleanUp>;

export function createCleanUp(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly telemetry: Telemetry;
  readonly expired: ExpiredRecords;
  readonly reclaim: Pick<Reclaim, 'run'>;
  readonly tombstones: Tombstones;
  readonly doomed: DoomedObjects;
  readonly oldGenerations: OldGenerations;
  /** Unix ms: only chooses candidates; Redis' own time decides. */
  readonly now: () => number;
}) {
  const { tenants, telemetry, expired, reclaim, tombstones, doomed, oldGenerations } = deps;
  const findDue = createDueTenants(deps);

  const removeExpiries = async (id: TenantId, { generation, members: first }: DueExpiries, pass: Pass) => {
    const freed = { removed: 0, bytesFreed: 0 };
    let members = first;
    for (;;) {
      const batch = await readable(pass, id, () => expired.remove(id, generation, members, pass.signal));
      if (batch === null) return freed;
      freed.removed += batch.removed;
      freed.bytesFreed += batch.bytes;
      const progress = batch.removed + batch.settled > 0;
      if (members.length < EXPIRED_BATCH || !progress || pass.signal?.aborted) return freed;
      members = await expired.findDue(id, generation, pass.signal);
    }
  };

  /** The oldest first: one that was retired later stays until it is gone. */
  const removeOld = async ({ id, generation, retired }: DueTenant, { signal }: Pass): Promise<number> => {
    let removed = 0;
    for (const old of retired) {
      const done = await oldGenerations.reclaim({ id, generation, signal }, { generation: old, maxPages: MAX_PAGES });
      removed += done.records;
      if (!done.gone) break;
    }
    return removed;
  };

  const deleteDoomed = async ({ id, generation, doomed: due }: DueTenant, pass: Pass): Promise<number> => {
    if (!due || pass.storeFailed) return 0;
    try {
      return await doomed.collectDoomed(id, generation, pass.signal);
    } catch (error) {
      if (!(error instanceof BlobUnavailableError)) throw error;
      telemetry.logger.error('Clean-up cannot delete objects', { tenant_id: id, error });
      pass.storeFailed = true;
      return 0;
    }
  };

  const tellUnreadable = (pass: Pass, id: TenantId, error: RangeError) => {
    telemetry.logger.error('Clean-up cannot read a tenant', { tenant_id: id, error });
    pass.unreadable.add(id);
  };

  /** What `read` makes of a tenant's data; null where that is damaged, so that one tenant does not hold up the others. */
  const readable = async <T>(pass: Pass, id: TenantId, read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      tellUnreadable(pass, id, error);
      return null;
    }
  };

  const cleanPage = async (page: readonly TenantId[], pass: Pass) => {
    let removed = 0;
    let bytesFreed = 0;
    let reclaimed = 0;
    let buried = 0;
    let superseded = 0;
    let objects = 0;
    for (const tenant of await findDue(page, (id, error) => tellUnreadable(pass, id, error), pass.signal)) {
      if (pass.signal?.aborted) break;
      for (const expiries of tenant.expiries) {
        const freed = await removeExpiries(tenant.id, expiries, pass);
        removed += freed.removed;
        bytesFreed += freed.bytesFreed;
      }
      if (tenant.invalidated) {
        const { id, generation } = tenant;
        const hidden = await reclaim.run({ id, generation, signal: pass.signal });
        reclaimed += hidden.removed;
        bytesFreed += hidden.bytes;
      }
      if (tenant.dead) {
        const gone = await tombstones.remove(tenant.id, pass.signal);
        buried += gone.removed;
        bytesFreed += gone.bytes;
      }
      superseded += await removeOld(tenant, pass);
      objects += await deleteDoomed(tenant, pass);
    }
    return { removed, bytesFreed, reclaimed, superseded, tombstones: buried, objects };
  };

  return {
    /** One pass over all tenants; ends early when `signal` aborts. Safe to run twice, or beside itself. */
    async run(signal?: AbortSignal): Promise<CleanUpReport> {
      const report = { tenants: 0, removed: 0, bytesFreed: 0, reclaimed: 0, superseded: 0, tombstones: 0, objects: 0 };
      const pass: Pass = { signal, unreadable: new Set(), storeFailed: false };
      for await (const page of tenantPages(tenants, signal)) {
        const done = await cleanPage(page, pass);
        report.removed += done.removed;
        report.bytesFreed += done.bytesFreed;
        report.reclaimed += done.reclaimed;
        report.superseded += done.superseded;
        report.tombstones += done.tombstones;
        report.objects += done.objects;
        report.tenants += page.length;
      }
      telemetry.count('riptide_expired_records_removed_total', report.removed);
      telemetry.count('riptide_superseded_records_removed_total', report.superseded);
      telemetry.count('riptide_session_tombstones_removed_total', report.tombstones);
      return { ...report, unreadable: pass.unreadable.size, finished: !signal?.aborted && !pass.storeFailed };
    },
  };
}
