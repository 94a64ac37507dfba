/** A tenant's access policies, as an administrator sets them. The gate hands them to each instance with the context. */
import { canonicalJson, type JsonValue } from '../audit/canonical-json.ts';
import { digestOf } from '../audit/entry.ts';
import { KeyLimitError } from '../errors.ts';
import type { PolicySet } from '../gate/policies.ts';
import type { TenantId } from '../ids.ts';
import type { AdminCall } from './admin-call.ts';
import { requireLive } from './lifecycle.ts';
import type { PoliciesRequest } from './policy-contract.ts';
import { hasRoom } from './policy-limits.ts';
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
      const { rev } = await changes.change(id, options, (current, nowMs) => decide(current, policies, nowMs));
      return { policies, rev };
    },

    /** What {@link set} would leave; changes nothing. `rev` is the one it has. @throws as set, but for its writing. */
    async previewSet(id: TenantId, policies: PoliciesRequest, options: ChangeOptions): Promise<StoredPolicies> {
      const { current } = await changes.preview(id, options, (found, nowMs) => decide(found, policies, nowMs));
      return { policies, rev: current.stored.rev };
    },

    /**
     * Names another key wherever a key is named: the one that takes its place is allowed and denied what it is. Done
     * already, or not named at all, it changes nothing. A change of its own: `call.ulid` is not used.
     * @throws {KeyLimitError} a policy has no room for another key. @throws as `set`.
     */
    async follow(
      id: TenantId,
      { from, to }: { readonly from: string; readonly to: string },
      { ulid: _rotation, ...call }: AdminCall,
    ): Promise<void> {
      await changes.change(id, call, (current, nowMs) => {
        const { policies } = current.context;
        if (policies === null) return null;
        const wanted = nameToo(policies, from, to);
        if (!hasRoom(wanted))
          throw new KeyLimitError('A policy that names this key has no room for another; take dead keys out of it');
        return decide(current, wanted, nowMs);
      });
    },
  };
}

const nameToo = ({ statements, ...rest }: PolicySet, from: string, to: string): PolicySet => ({
  ...rest,
  statements: statements.map((statement) => {
    const { keys } = statement;
    return !keys?.includes(from) || keys.includes(to) ? statement : { ...statement, keys: [...keys, to] };
  }),
});

/** Null: they are so already. Their text is not logged: it names the tenant's own resources. */
function decide({ stored, context }: CurrentTenant, policies: PolicySet, nowMs: number): TenantChange | null {
  requireLive(stored.tenant, nowMs);
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
