/** An audit log of any version is verified by this one, and entries of today are sealed to the same bytes. */
import { describe, expect, it } from 'vitest';
import { GENESIS, packHead, packSealed, parseSealed, seal, unpackHead } from '../../lib/audit/chain.ts';
import { type AuditEntry, packEntry, parseEntry } from '../../lib/audit/entry.ts';
import { verify } from '../../lib/audit/verify-chain.ts';
import { golden } from '../support/stored-formats.ts';

const { pending, sealed, head } = golden.audit;

describe('stored audit entries [T11]', () => {
  it('are one chain up to their head', () => {
    expect(verify(sealed, { head: unpackHead(head) })).toMatchObject({ ok: true, entries: sealed.length });
  });

  it('are sealed as they were', () => {
    const entries = pending.map((text) => parseEntry(text) as AuditEntry);
    expect(entries.map(packEntry)).toEqual(pending);
    const again = seal(entries, GENESIS);
    expect(again.sealed.map(packSealed)).toEqual(sealed);
    expect(packHead(again.head)).toBe(head);
  });

  it('say who did what to whom, and when', () => {
    expect(parseSealed(sealed[1] ?? '')).toMatchObject({
      seq: 2,
      id: '01k9zzzzzzzzzzzzzzzzzzzzz1',
      at: '2026-11-21T02:21:00.500Z',
      action: 'tenant.update',
      tenant_id: golden.tenant.id,
      actor: 'admin:9b74c9897bac',
      details: { fields: ['name', 'plan', 'quotas'], note: 'ž "\n' },
    });
  });
});
