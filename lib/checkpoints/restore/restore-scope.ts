/** What a restore is about. */
import { InvalidRequestError, NotFoundError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import type { CheckpointManifest, CheckpointTenant } from '../format/manifest-schema.ts';

export type RestoreScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'tenants'; readonly tenants: readonly TenantId[] }
  | { readonly kind: 'session'; readonly tenant: TenantId /** Its ULID. */; readonly session: string };

/** Kept with the job. */
export interface RestoreParams {
  readonly checkpoint: string;
  readonly scope: RestoreScope;
  readonly dry_run: boolean;
  /** Of tenants that Redis has lost: `revive` brings back their sessions, too, also those ended since the checkpoint. */
  readonly sessions: 'known' | 'revive';
  /** Whether entries of the cache are restored; false: the cache is empty afterwards. */
  readonly cache: boolean;
  /** The checkpoint made before anything is changed, and the one of what was written until the switch. */
  readonly safety: string;
  readonly late: string;
}

/** The tenants of a checkpoint that the scope names, by id. */
export function tenantsIn({ tenants }: CheckpointManifest, scope: RestoreScope): readonly CheckpointTenant[] {
  if (scope.kind === 'all') return tenants;
  const wanted = new Set(scope.kind === 'tenants' ? scope.tenants : [scope.tenant]);
  return tenants.filter(({ tenant }) => wanted.has(tenant));
}

/**
 * @throws {NotFoundError} `tenant_not_found`: the checkpoint has not all of them. @throws {InvalidRequestError} there is nothing to
 * restore in it.
 */
export function requireScope(manifest: CheckpointManifest, scope: RestoreScope): void {
  const found = tenantsIn(manifest, scope);
  const wanted = scope.kind === 'all' ? null : scope.kind === 'tenants' ? scope.tenants : [scope.tenant];
  const missing = (wanted ?? []).filter((id) => !found.some(({ tenant }) => tenant === id));
  if (missing.length > 0)
    throw new NotFoundError('tenant_not_found', `The checkpoint has no tenant ${missing.slice(0, 5).join(', ')}`);
  if (found.length > 0) return;
  throw new InvalidRequestError('The checkpoint has no tenants: there is nothing to restore', {
    issues: [{ field: 'path.id', message: 'must be a checkpoint with tenants' }],
  });
}
