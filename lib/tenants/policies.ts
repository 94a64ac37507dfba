/** A tenant's access policies, as an administrator sets them. The gate hands them to each instance with the context. */
import { canonicalJson, type JsonValue } from '../audit/canonical-json.ts';
import { digestOf } from '../audit/entry.ts';
import type { PolicySet } from '../gate/policies.ts';
import type { TenantId } from '../ids.ts';
import { requireLive } from './lifecycle.ts';
import type { PoliciesRequest } from './policy-contract.ts';
import type { ChangeOptions, TenantChange, TenantChanges } from './tenant-change.ts';
import type { CurrentTenant, TenantReader } from './tenant-reader.ts';

/** Allows whatever the scopes of a key do. */
const NO_POLICIES: PolicySet = { default: 'allow', statements: [] };

export interface StoredPolicies {
  readonly policies: PolicySet;
  /** Of the tenant. */
  readonly rev: number;
}

export type TenantPolicies = ReturnType<typeof createTenantPolicies>;

export function createTenantPolicies(deps: { readonly reader: TenantReader; readonly changes: TenantChanges }) {
  const { reader, changes } = deps;
  return {
    /** @throws as TenantReader.read. */
    async get(id: TenantId, signal?: AbortSignal): Promise<StoredPolicies> {
      const { context, stored } = await reader.read(id, signal);
      return { policies: context.policies ?? NO_POLICIES, rev: stored.rev };
    },

    /** Replaces all of them. @throws as TenantChanges.change. @throws {TenantStateError} `deletion_pending`. */
    async set(id: TenantId, policies: PoliciesRequest, options: ChangeOptions): Promise<StoredPolicies> {
      const { rev } = await changes.change(id, options, (current) => decide(current, policies));
      return { policies, rev };
    },
  };
}

/** Null: they are so already. Their text is not logged: it names the tenant's own resources. */
function decide({ stored, context }: CurrentTenant, policies: PolicySet): TenantChange | null {
  requireLive(stored.tenant);
  const wanted = textOf(policies);
  if (textOf(context.policies ?? NO_POLICIES) === wanted) return null;
  const none = textOf(NO_POLICIES) === wanted;
  return {
    tenant: stored.tenant,
    action: 'policies.set',
    details: { default: policies.default, statements: policies.statements.length, digest: digestOf(wanted) },
    context: { ...context, policies: none ? null : policies },
  };
}

const textOf = (policies: PolicySet) => canonicalJson(policies as unknown as JsonValue);
