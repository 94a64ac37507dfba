/** Entries for tests of the audit log, and a chain of them. */
import { GENESIS, packSealed, seal } from '../../lib/audit/chain.ts';
import { type AuditDetails, type AuditEntry, newAuditEntry } from '../../lib/audit/entry.ts';
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

/** Lines of a log of `length` entries, and its head. `more`: in the details of each. */
export function auditLog(length: number, after = GENESIS, more: AuditDetails = {}) {
  const entries = Array.from({ length }, (_, i) => auditEntry(after.seq + i + 1));
  const { sealed, head } = seal(
    entries.map((entry) => ({ ...entry, details: { ...entry.details, ...more } })),
    after,
  );
  return { lines: sealed.map(packSealed), head };
}
