import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  GENESIS,
  packHead,
  packSealed,
  parseSealed,
  type SealedEntry,
  seal,
  unpackHead,
} from '../../lib/audit/chain.ts';
import { createChainVerifier, type VerifyOptions, verify } from '../../lib/audit/verify-chain.ts';
import { auditEntry, auditLog } from '../support/audit-entries.ts';

const { lines, head } = auditLog(6);
const entryOf = (line: string | undefined) => parseSealed(line ?? '') as SealedEntry;
/** A line with other content; its hash as it was. */
const altered = (line: string | undefined, changes: object) => packSealed({ ...entryOf(line), ...changes });
/** The lines from the n-th on chained anew, as somebody would who can write the whole log. */
const rewritten = (n: number, changes: object) => {
  const entries = lines.slice(n - 1).map((line, i) => ({ ...entryOf(line), ...(i === 0 ? changes : {}) }));
  const before = n === 1 ? GENESIS : entryOf(lines[n - 2]);
  return [...lines.slice(0, n - 1), ...seal(entries, before).sealed.map(packSealed)];
};

const brokenAt = (text: readonly string[], options?: VerifyOptions) => {
  const verdict = verify(text, options);
  return verdict.ok ? null : [verdict.broken.why, verdict.broken.seq];
};

describe('a chain of audit entries [T11]', () => {
  it('is intact as it was sealed, in one piece or in several', () => {
    expect(verify(lines, { head })).toEqual({ ok: true, entries: 6, first: 1, head });
    const begun = auditLog(2);
    expect(brokenAt([...begun.lines, ...auditLog(4, begun.head).lines])).toBeNull();
    expect(verify([])).toEqual({ ok: true, entries: 0, first: null, head: GENESIS });
  });

  it('keeps what it was sealed from', () => {
    const entry = auditEntry(1);
    const [sealed] = seal([entry], GENESIS).sealed;
    expect(parseSealed(packSealed(sealed as SealedEntry))).toEqual({
      ...entry,
      seq: 1,
      prev: GENESIS.hash,
      hash: sealed?.hash,
    });
  });

  it.each([
    ['another action', 3, { action: 'tenant.delete' }],
    ['another time', 3, { at: '2020-01-01T00:00:00.000Z' }],
    ['another tenant', 3, { tenant_id: 'tenant-x' }],
    ['another actor', 1, { actor: 'admin:ffffffffffff' }],
    ['other details', 6, { details: { n: 4 } }],
    ['one field more', 3, { more: 1 }],
    ['another id', 3, { id: 'x' }],
    ['another hash', 3, { hash: 'a'.repeat(64) }],
  ])('shows %s', (_what, seq, changes) => {
    expect(brokenAt(lines.with(seq - 1, altered(lines[seq - 1], changes)))).toEqual(['wrong_hash', seq]);
  });

  it('shows another prev, of the first entry as well', () => {
    for (const seq of [1, 4]) {
      const changed = altered(lines[seq - 1], { prev: 'b'.repeat(64) });
      expect(brokenAt(lines.with(seq - 1, changed))).toEqual(['wrong_prev', seq]);
    }
  });

  it('shows an entry that was changed and hashed again', () => {
    const [forged] = seal([{ ...entryOf(lines[2]), action: 'tenant.delete' }], entryOf(lines[1])).sealed;
    expect(brokenAt(lines.with(2, packSealed(forged as SealedEntry)))).toEqual(['wrong_prev', 4]);
  });

  it('shows which entries are missing', () => {
    expect(verify(lines.toSpliced(2, 1))).toMatchObject({
      broken: { why: 'missing', seq: 3, line: 3, message: 'entry 3 is missing' },
    });
    expect(verify(lines.toSpliced(1, 3))).toMatchObject({ broken: { message: 'entries 2 to 4 are missing' } });
    expect(brokenAt(lines.slice(1))).toEqual(['missing', 1]);
  });

  it('shows entries in another order, or twice', () => {
    const swapped = lines.with(2, lines[3] as string).with(3, lines[2] as string);
    expect(verify(swapped)).toMatchObject({ broken: { why: 'reordered', seq: 3, line: 3 } });
    expect(brokenAt(lines.toSpliced(3, 0, lines[1] as string))).toEqual(['reordered', 2]);
    expect(brokenAt(lines.toReversed())).toEqual(['reordered', 1]);
  });

  it('shows an entry put in between', () => {
    const [extra] = seal([auditEntry(99)], entryOf(lines[2])).sealed;
    expect(brokenAt(lines.toSpliced(3, 0, packSealed(extra as SealedEntry)))).toEqual(['reordered', 4]);
  });

  it('shows that its end was cut off, when its head is known', () => {
    for (const options of [{ head }, { head: { hash: head.hash } }]) {
      expect(brokenAt(lines.slice(0, 4), options)).toEqual(['truncated', 5]);
      expect(brokenAt([], options)).toEqual(['truncated', 1]);
    }
    expect(brokenAt(lines.slice(0, 4))).toBeNull();
  });

  it('shows that all was written anew, when a head is known', () => {
    const anew = rewritten(3, { action: 'tenant.delete' });
    expect(brokenAt(anew)).toBeNull();
    expect(brokenAt(anew, { head })).toEqual(['truncated', 7]);
    expect(brokenAt(anew, { head: { hash: entryOf(lines[1]).hash } })).toBeNull();
  });

  it('takes a head that was noted before the log grew, at its own number only', () => {
    const { hash } = entryOf(lines[3]);
    expect(brokenAt(lines, { head: { hash } })).toBeNull();
    expect(brokenAt(lines, { head: { hash, seq: 4 } })).toBeNull();
    expect(brokenAt(lines, { head: { hash, seq: 5 } })).toEqual(['truncated', 7]);
  });

  it('is verified in parts: after a head that is known, or one that is believed', () => {
    const part = lines.slice(2);
    expect(brokenAt(part, { after: entryOf(lines[1]) })).toBeNull();
    expect(brokenAt(part, { after: { seq: 2, hash: 'c'.repeat(64) } })).toEqual(['wrong_prev', 3]);
    expect(verify(part, { after: 'any' })).toMatchObject({ ok: true, first: 3, entries: 4 });
    expect(brokenAt(part.toSpliced(1, 1), { after: 'any' })).toEqual(['missing', 4]);
  });

  it.each([
    ['no JSON', 'x'],
    ['an empty line', ''],
    ['no entry', '{"seq":3}'],
    ['null', 'null'],
    ['spaces', (line: string) => line.replace(',', ', ')],
    ['a name given twice', (line: string) => line.replace('{', '{"action":"tenant.create",')],
    ['another writing of a number', (line: string) => line.replace('"n":3', '"n":3.0')],
    ['a number readers disagree about', (line: string) => line.replace('"n":3', '"n":9007199254740993')],
    ['a hash that is none', (line: string) => line.replace(/"hash":"\w/, '"hash":"X')],
  ])('shows a line that holds %s', (_what, change) => {
    const line = typeof change === 'string' ? change : change(lines[2] as string);
    expect(line).not.toBe(lines[2]);
    expect(brokenAt(lines.with(2, line))).toEqual(['unreadable', 3]);
  });

  it('shows any change of any byte of a line', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (n, at, code) => {
        const line = lines[n] as string;
        const place = at % line.length;
        const changed = line.slice(0, place) + String.fromCharCode(code) + line.slice(place + 1);
        expect(brokenAt(lines.with(n, changed)) === null).toBe(changed === line);
      }),
    );
  });

  it('shows any other choice and order of its lines', () => {
    const choice = fc.array(fc.nat(5), { maxLength: 8 });
    fc.assert(
      fc.property(choice, (chosen) => {
        const inOrder = chosen.length === 6 && chosen.every((n, i) => n === i);
        const verdict = brokenAt(
          chosen.map((n) => lines[n] as string),
          { head },
        );
        expect(verdict === null).toBe(inOrder);
      }),
    );
  });

  it('seals the same in any batches', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), (sizes) => {
        const entries = Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, (_, i) => auditEntry(i));
        let [at, last] = [0, GENESIS];
        for (const size of sizes) {
          last = seal(entries.slice(at, at + size), last).head;
          at += size;
        }
        expect(last).toEqual(seal(entries, GENESIS).head);
      }),
    );
  });

  it('says how far a long one was read, and stops at the first breach', () => {
    const verifier = createChainVerifier();
    expect(lines.slice(0, 2).every(verifier.take)).toBe(true);
    expect(verifier.progress()).toEqual({ entries: 2, first: 1, head: { seq: 2, hash: entryOf(lines[1]).hash } });
    expect(verifier.take('x')).toBe(false);
    expect(verifier.take(lines[2] as string)).toBe(false);
    expect(verifier.end()).toMatchObject({ ok: false, entries: 2, broken: { why: 'unreadable', seq: 3, line: 3 } });
  });
});

describe('the head of the log [T11]', () => {
  it('is read as it was written', () => {
    expect(unpackHead(packHead(head))).toEqual(head);
    expect(packHead(head)).toBe(`a1,6,${head.hash}`);
  });

  it.each([
    '',
    'a1,6',
    `a2,6,${head.hash}`,
    `a1,0,${head.hash}`,
    `a1,6,${head.hash}0`,
    `a1,99999999999999999,${head.hash}`,
  ])('%j is none', (text) => expect(() => unpackHead(text)).toThrow(RangeError));
});
