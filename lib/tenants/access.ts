/** Asks what a tenant's policies would say, without doing anything: before they are relied on. */
import { judge, type Verdict } from '../gate/policies.ts';
import type { TenantId } from '../ids.ts';
import type { TenantReader } from './tenant-reader.ts';

export interface AccessQuestion {
  /** As a scope: `cache:read`. */
  readonly action: string;
  /** As `cache/orders/42`. */
  readonly resource: string;
  /** Default: a key that no statement names. */
  readonly keyId?: string | undefined;
}

export type AccessCheck = ReturnType<typeof createAccessCheck>;

export function createAccessCheck({ reader }: { readonly reader: TenantReader }) {
  return {
    /**
     * Whether the tenant's policies allow it now; one round trip. Scopes and the tenant's status are asked besides by the
     * gate, with the work. @throws as TenantReader.read.
     */
    async validateAccess(id: TenantId, question: AccessQuestion, signal?: AbortSignal): Promise<Verdict> {
      const { context } = await reader.read(id, signal);
      const { action, resource, keyId = '' } = question;
      return judge(context.policies, { action, resource, keyId });
    },
  };
}
