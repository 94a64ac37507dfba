/** What becomes of a tenant's status: pure decisions. */
import { TenantErasedError, TenantStateError } from '../errors.ts';
import { isoOf } from '../iso-time.ts';
import type { TenantResponse } from './contract.ts';
import type { TenantChange } from './tenant-change.ts';

type Deletion = Pick<TenantResponse, 'status' | 'erase_at' | 'erasing_since'>;

/**
 * @throws {TenantStateError} `deletion_pending`: a deleted tenant is only undeleted.
 * @throws {TenantErasedError} nor that: its time is over.
 */
export function requireLive(tenant: Deletion, nowMs: number): void {
  if (tenant.status === 'deleted') throw notLive(tenant, nowMs);
}

/** The error that says what can still be done with a deleted tenant. */
export function notLive(tenant: Deletion, nowMs: number): TenantStateError | TenantErasedError {
  if (isOver(tenant, nowMs)) return over();
  return new TenantStateError('deletion_pending', 'The tenant is deleted; undelete it first, while that can be done');
}

/** Whether erasing has begun, or is to begin with the schedule's next run. */
const isOver = ({ erase_at, erasing_since }: Deletion, nowMs: number): boolean =>
  erasing_since !== undefined || (erase_at !== undefined && Date.parse(erase_at) <= nowMs);

const over = () => new TenantErasedError('The time of this deleted tenant is over; it is being erased');

/** Null: it is so already. @throws as {@link requireLive}. */
export function suspend(tenant: TenantResponse, nowMs: number): TenantChange | null {
  requireLive(tenant, nowMs);
  return tenant.status === 'suspended' ? null : to(tenant, 'suspended', 'tenant.suspend');
}

/** Null: it is so already. @throws as {@link requireLive}. */
export function resume(tenant: TenantResponse, nowMs: number): TenantChange | null {
  requireLive(tenant, nowMs);
  return tenant.status === 'active' ? null : to(tenant, 'active', 'tenant.resume');
}

/**
 * Deletes the tenant until `eraseAtMs`, when it is erased for good. Deleted before, it is erased at the sooner of the two
 * times; null: that is the one it has.
 * @param eraseAtMs null: the usual time; of a deleted tenant, the time it has.
 */
export function remove(
  tenant: TenantResponse,
  times: { readonly nowMs: number; readonly undoWindowMs: number; readonly eraseAtMs: number | null },
): TenantChange | null {
  const { status, erase_at } = tenant;
  if (status === 'deleted') {
    const { eraseAtMs } = times;
    if (eraseAtMs === null || erase_at === undefined || eraseAtMs >= Date.parse(erase_at)) return null;
    return deleted({ ...tenant, erase_at: isoOf(eraseAtMs) });
  }
  return deleted({
    ...tenant,
    status: 'deleted',
    status_before_deletion: status,
    deleted_at: isoOf(times.nowMs),
    erase_at: isoOf(times.eraseAtMs ?? times.nowMs + times.undoWindowMs),
  });
}

/**
 * Brings back what a deletion took.
 * @throws {TenantStateError} `tenant_not_deleted`. @throws {TenantErasedError} the time for it is over: erasing has begun.
 */
export function undelete(tenant: TenantResponse, nowMs: number): TenantChange {
  const { deleted_at: _at, erase_at: _end, status_before_deletion: before = 'active', ...rest } = tenant;
  if (tenant.status !== 'deleted') throw new TenantStateError('tenant_not_deleted', 'The tenant is not deleted');
  if (isOver(tenant, nowMs)) throw over();
  return { tenant: { ...rest, status: before }, action: 'tenant.undelete', details: { status: before } };
}

const to = (tenant: TenantResponse, status: 'active' | 'suspended', action: 'tenant.suspend' | 'tenant.resume') => ({
  tenant: { ...tenant, status },
  action,
});

const deleted = (tenant: TenantResponse & { readonly erase_at: string }): TenantChange => ({
  tenant,
  action: 'tenant.delete',
  details: { erase_at: tenant.erase_at },
});
