/** What an administrator does with a tenant that exists. Each holds from the tenant's next request on, and is logged. */
import { InvalidRequestError } from '../errors.ts';
import type { KeyRef } from '../gate/context-format.ts';
import type { TenantId } from '../ids.ts';
import * as lifecycle from './lifecycle.ts';
import type { StoredTenant } from './record-format.ts';
import type { ChangeOptions, TenantChanges } from './tenant-change.ts';
import type { CurrentTenant, TenantReader } from './tenant-reader.ts';
import type { ProvisionKey } from './tenants.ts';
import type { DeleteTenantResponse, UpdateTenantRequest } from './update-contract.ts';
import { decideUpdate, needsKey } from './update-decision.ts';

export type TenantAdmin = ReturnType<typeof createTenantAdmin>;

export interface DeleteOptions extends ChangeOptions {
  /** Until the tenant is erased; null: the deployment's undo window. */
  readonly undoMs: number | null;
}

export function createTenantAdmin(deps: {
  readonly changes: TenantChanges;
  readonly reader: TenantReader;
  readonly provisionKey: ProvisionKey;
  /** In which a deletion can be undone. */
  readonly undoWindowMs: number;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { changes, reader, provisionKey, now } = deps;

  const removal = (current: CurrentTenant, undoMs: number | null) => {
    const nowMs = now();
    const eraseAtMs = undoMs === null ? null : nowMs + undoMs;
    return lifecycle.remove(current.stored.tenant, { nowMs, undoWindowMs: deps.undoWindowMs, eraseAtMs });
  };

  const checkUndo = (undoMs: number | null): void => {
    const { undoWindowMs } = deps;
    if (undoMs === null || undoMs <= undoWindowMs) return;
    const issues = [{ field: 'query.undo_seconds', message: `must be at most ${undoWindowMs / 1_000}` }];
    throw new InvalidRequestError('A deletion cannot be undone for so long', { issues });
  };

  return {
    /**
     * Changes the fields that are named.
     * @throws as TenantChanges.change, update-decision.ts and {@link ProvisionKey}.
     */
    async update(
      id: TenantId,
      request: UpdateTenantRequest,
      options: ChangeOptions & { readonly force?: boolean },
    ): Promise<StoredTenant> {
      let firstKey: KeyRef | undefined;
      return changes.change(id, options, async (current, nowMs) => {
        if (needsKey(current, request)) firstKey ??= await provisionKey(id, options.signal);
        return decideUpdate(current, request, { force: options.force ?? false, firstKey, nowMs });
      });
    },

    /**
     * The tenant as {@link update} would leave it, with the revision and times it has; changes nothing, makes no key.
     * @throws as update, but for its writing.
     */
    async previewUpdate(
      id: TenantId,
      request: UpdateTenantRequest,
      options: ChangeOptions & { readonly force?: boolean },
    ): Promise<StoredTenant> {
      const { current, change } = await changes.preview(id, options, (found, nowMs) =>
        decideUpdate(found, request, { force: options.force ?? false, nowMs }),
      );
      return { ...current.stored, tenant: change?.tenant ?? current.stored.tenant };
    },

    /** Refuses all requests of its keys; nothing is lost. Suspended before, it stays so. @throws as TenantChanges.change. */
    suspend: (id: TenantId, options: ChangeOptions): Promise<StoredTenant> =>
      changes.change(id, options, ({ stored }, nowMs) => lifecycle.suspend(stored.tenant, nowMs)),

    /** Ends a suspension. @throws as TenantChanges.change. */
    resume: (id: TenantId, options: ChangeOptions): Promise<StoredTenant> =>
      changes.change(id, options, ({ stored }, nowMs) => lifecycle.resume(stored.tenant, nowMs)),

    /** Deletes the tenant: refused from the next request on, erased when the undo window ends. Again, it stays deleted. */
    async remove(id: TenantId, { undoMs, ...options }: DeleteOptions): Promise<DeleteTenantResponse> {
      checkUndo(undoMs);
      let found: CurrentTenant | undefined;
      const { tenant } = await changes.change(id, options, (current) => {
        found = current;
        return removal(current, undoMs);
      });
      return toDeletion(tenant, found ?? (await reader.read(id, options.signal)), false);
    },

    /** What {@link remove} would do; changes nothing. */
    async previewRemoval(id: TenantId, { undoMs, ...options }: DeleteOptions): Promise<DeleteTenantResponse> {
      checkUndo(undoMs);
      const { current, change } = await changes.preview(id, options, (found) => removal(found, undoMs));
      return toDeletion(change?.tenant ?? current.stored.tenant, current, true);
    },

    /** Takes a deletion back. @throws as TenantChanges.change and lifecycle.ts. */
    undelete: (id: TenantId, options: ChangeOptions): Promise<StoredTenant> =>
      changes.change(id, options, ({ stored }, nowMs) => lifecycle.undelete(stored.tenant, nowMs)),
  };
}

function toDeletion(
  { id, status, deleted_at = '', erase_at = '' }: StoredTenant['tenant'],
  { counters, apiKeys }: CurrentTenant,
  dry_run: boolean,
): DeleteTenantResponse {
  const { entries, memoryBytes, storageBytes } = counters;
  const erases = { entries, memory_bytes: memoryBytes, storage_bytes: storageBytes, api_keys: apiKeys };
  return { id, status, deleted_at, erase_at, dry_run, erases };
}
