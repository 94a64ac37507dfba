import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type JsonValue } from '../../lib/audit/canonical-json.ts';
import { describeChanges } from '../../lib/audit/changes.ts';
import {
  ACTION,
  AUDIT_ACTIONS,
  adminActor,
  digestOf,
  newAuditEntry,
  packEntry,
  parseEntry,
} from '../../lib/audit/entry.ts';
import { ACTOR, auditEntry, someTenant } from '../support/audit-entries.ts';

const jsonValue = fc.jsonValue({ noUnicodeString: false }).map((value) => value as JsonValue);
const exact = (value: unknown): boolean =>
  typeof value === 'number'
    ? !Number.isInteger(value) || Number.isSafeInteger(value)
    : typeof value !== 'object' || value === null || Object.values(value).every(exact);

describe('canonical JSON [T11]', () => {
  it('is the same for the same value, however its fields stand', () => {
    expect(canonicalJson({ b: [1, { d: null, c: true }], a: 'ž"\n' })).toBe(
      '{"a":"ž\\"\\n","b":[1,{"c":true,"d":null}]}',
    );
    expect(canonicalJson({ é: 1, e: 2, Z: 3, '': 4 })).toBe('{"":4,"Z":3,"e":2,"é":1}');
  });

  it('is JSON of the value, and stays as it is when read and written again', () => {
    fc.assert(
      fc.property(jsonValue.filter(exact), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 60), { a: [1e300] }])('refuses %j', (value) => {
    expect(() => canonicalJson(value)).toThrow(RangeError);
  });
});

describe('an audit entry [T11]', () => {
  it('says who did what to whom, and when', () => {
    const tenantId = someTenant();
    const now = Date.UTC(2026, 10, 21);
    const entry = newAuditEntry({
      action: 'tenant.create',
      tenantId,
      actor: ACTOR,
      requestId: 'r',
      details: { plan: 'free' },
      now,
    });
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-z]{26}$/),
      at: '2026-11-21T00:00:00.000Z',
      action: 'tenant.create',
      tenant_id: tenantId,
      actor: ACTOR,
      request_id: 'r',
      details: { plan: 'free' },
    });
    expect(parseEntry(packEntry(entry))).toEqual(entry);
  });

  it('keeps the id of the operation it is of', () => {
    expect(
      newAuditEntry({ action: 'key.create', tenantId: null, actor: ACTOR, requestId: null, now: 0, id: 'op' }).id,
    ).toBe('op');
  });

  it('tells admin keys apart and gives none away', () => {
    const sha256 = createHash('sha256').update('key').digest('hex');
    expect(adminActor(sha256)).toBe(`admin:${sha256.slice(0, 12)}`);
    expect(adminActor(sha256.toUpperCase())).toBe(adminActor(sha256));
  });

  it('has details of bounded size, whatever is handed to it', () => {
    const details = { fields: Array.from({ length: 300 }, (_, i) => `field-${i}`) };
    const entry = newAuditEntry({
      action: 'tenant.update',
      tenantId: null,
      actor: ACTOR,
      requestId: null,
      details,
      now: 0,
    });
    expect(entry.details).toEqual({ too_large: true, digest: digestOf(details) });
  });

  it('names actions as they are filtered by', () => {
    for (const action of AUDIT_ACTIONS) expect(action).toMatch(ACTION);
    expect([...AUDIT_ACTIONS].sort()).toEqual([...AUDIT_ACTIONS]);
  });

  it('with fields of a later version is kept whole', () => {
    const later = { ...auditEntry(1), source_ip: '::1' };
    expect(parseEntry(JSON.stringify(later))).toEqual(later);
  });

  it.each(['', 'x', 'null', '[]', '{}', '"a"', JSON.stringify({ ...auditEntry(1), details: [] })])(
    '%j is none',
    (text) => {
      expect(parseEntry(text)).toBeNull();
      expect(parseEntry(JSON.stringify({ ...auditEntry(1), action: 'Delete everything' }))).toBeNull();
      expect(parseEntry(packEntry(auditEntry(1)).replace('"n":1', '"n":1e400'))).toBeNull();
    },
  );
});

describe('what an update changed [T11]', () => {
  const owner = { id: 'owner-1', name: 'Ada', email: 'ada@acme.test' };
  const quotas = { operations_per_minute: 1_000 };
  const before = { name: 'Acme', owner, plan: 'free', quotas, settings: {}, status: 'active', updated_at: 'then' };

  it('is told by field, with old and new limits, plan and status', () => {
    const more = { ...quotas, memory_bytes: 7 };
    const after = { ...before, plan: 'starter', status: 'suspended', quotas: more, updated_at: 'now' };
    expect(describeChanges(before, after)).toEqual({
      fields: ['plan', 'quotas', 'status'],
      changed: {
        plan: { from: 'free', to: 'starter' },
        status: { from: 'active', to: 'suspended' },
        'quotas.memory_bytes': { from: null, to: 7 },
      },
    });
  });

  it('never tells names, owners, settings or fields it does not know', () => {
    const other = { id: 'secret-1', name: 'secret-2', email: 'secret-3@acme.test' };
    const after = {
      ...before,
      name: 'secret-4',
      owner: other,
      settings: { 'secret-5': 'secret-6' },
      webhook: 'secret-7',
    };
    const told = describeChanges(before, after);
    expect(told).toEqual({ fields: ['name', 'owner', 'settings', 'webhook'], changed: {} });
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('is nothing when nothing changed', () => {
    expect(describeChanges(before, { ...before, updated_at: 'now' })).toEqual({ fields: [], changed: {} });
  });
});
