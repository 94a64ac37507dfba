/** Entries for tests of the audit log, and a chain of them. */
import { GENESIS, packSealed, seal } from '../../lib/audit/chain.ts';
import { type AuditEntry, newAuditEntry } from '../../lib/audit/entry.ts';
import { newTenantId, newUlid, type TenantId } from '../../lib/ids.ts';

export const ACTOR = 'admin:0123456789ab';

/** One that says its number. */
export const auditEntry = (n: number, tenantId: TenantId | null = null): AuditEntry =>
  newAuditEntry({
    action: 'tenant.update',
    tenantId,
    actor: ACTOR,
    requestId: `request-${n}`,
    details: { n },
    now: 1_795_000_000_000 + n,
  });

export const someTenant = (): TenantId => newTenantId(newUlid(Date.now()));

/** Lines of a log of `length` entries, and its head. */
export function auditLog(length: number, after = GENESIS) {
  const { sealed, head } = seal(
    Array.from({ length }, (_, i) => auditEntry(after.seq + i + 1)),
    after,
  );
  return { lines: sealed.map(packSealed), head };
}
