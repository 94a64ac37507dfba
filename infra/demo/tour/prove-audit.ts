/** The audit log has what the demo did as administrator, in one chain that goes on where it ended before. */
import { type AuditHead, packSealed, type SealedEntry } from '../../../lib/audit/chain.ts';
import { verify } from '../../../lib/audit/verify-chain.ts';
import type { Client } from '../../../lib/client/client.ts';
import { demand, demandStatus } from '../claims.ts';

const PAGE = 1_000;

export interface AuditProof {
  /** Entries since the demo began, of others as well. */
  readonly entries: number;
  readonly head: AuditHead;
  readonly shown: readonly string[];
}

/** Where the log ends now, all that was done until now sealed. @throws {BrokenClaimError} */
export async function readAuditHead(admin: Client): Promise<AuditHead> {
  const reply = await admin.listAudit({ query: { limit: 1 } });
  demandStatus(reply, 200, 'Read the audit log as administrator');
  return reply.data.head;
}

/**
 * Reads on from the head that was noted and follows the chain; then changes a copy, which must be noticed.
 * @param tenantIds of which the creation must be in it. @throws {BrokenClaimError}
 */
export async function proveAudit(admin: Client, noted: AuditHead, tenantIds: readonly string[]): Promise<AuditProof> {
  const { entries, head } = await readSince(admin, noted);
  const verdict = verify(entries.map(packSealed), { after: noted, head });
  demand(verdict.ok, `The audit log is not intact: ${verdict.ok || verdict.broken.message}`);
  const created = new Set(entries.filter(({ action }) => action === 'tenant.create').map(({ tenant_id }) => tenant_id));
  const missing = tenantIds.filter((id) => !created.has(id));
  demand(missing.length === 0, `The audit log does not have the creation of ${missing.join(', ')}`);
  const [first, ...rest] = entries;
  const changed = verify([{ ...(first as SealedEntry), actor: 'nobody' }, ...rest].map(packSealed), { after: noted });
  demand(!changed.ok, 'A copy of the audit log with one name changed is taken for intact');
  return {
    entries: entries.length,
    head: verdict.head,
    shown: [
      `The audit log is one chain: ${entries.length} entries since the head noted at the start; with one name changed it does not verify`,
    ],
  };
}

/** @returns the entries after it and the head they must lead to. */
async function readSince(admin: Client, { seq }: AuditHead) {
  const entries: SealedEntry[] = [];
  // A page with a cursor seals nothing: what was just done would be missing.
  let head = await readAuditHead(admin);
  let cursor: string | null = seq === 0 ? null : String(seq);
  do {
    const query = { order: 'asc' as const, limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const page = await admin.listAudit({ query });
    demandStatus(page, 200, 'A page of the audit log');
    // The contract leaves open what `details` holds; the verifier takes nothing that is no JSON.
    entries.push(...(page.data.items as SealedEntry[]));
    head = { ...page.data.head };
    cursor = page.data.next_cursor;
  } while (cursor !== null);
  return { entries, head };
}
