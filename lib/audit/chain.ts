/**
 * The chain: each sealed entry carries its number, the hash of the one before and its own, so that nothing in between can
 * be changed, removed, added or moved without every later hash being another. Pure.
 *
 *   hash = SHA-256, hex, of: prev, a line break, the canonical JSON of the entry with `seq` and `prev`, without `hash`
 */
import { canonicalJson, type JsonValue } from './canonical-json.ts';
import { type AuditEntry, isEntry, sha256 } from './entry.ts';

export interface SealedEntry extends AuditEntry {
  /** 1, 2, 3 … */
  readonly seq: number;
  /** Hash of the entry before; {@link GENESIS}' for the first. */
  readonly prev: string;
  readonly hash: string;
}

/** Where a chain ends. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** What the first entry follows. */
export const GENESIS: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** What an entry's `hash` and `prev` look like. */
export const HASH = /^[0-9a-f]{64}$/;

/** `a1,<seq>,<hash>`. */
export const packHead = ({ seq, hash }: AuditHead): string => `a1,${seq},${hash}`;

/** @throws {RangeError} not written by {@link packHead}. */
export function unpackHead(text: string): AuditHead {
  const [, seq, hash] = /^a1,([1-9]\d{0,15}),([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined || !Number.isSafeInteger(Number(seq)))
    throw new RangeError('Not the head of an audit log');
  return { seq: Number(seq), hash };
}

/** The entries in their order, chained to `head`, and the new head. @throws {RangeError} an entry has no canonical JSON. */
export function seal(
  entries: readonly AuditEntry[],
  head: AuditHead,
): { readonly sealed: readonly SealedEntry[]; readonly head: AuditHead } {
  const sealed: SealedEntry[] = [];
  let last = head;
  for (const entry of entries) {
    const unsealed = { ...entry, seq: last.seq + 1, prev: last.hash };
    const next = { ...unsealed, hash: hashOf(unsealed) };
    sealed.push(next);
    last = next;
  }
  return { sealed, head: { seq: last.seq, hash: last.hash } };
}

/** Of an entry with `seq` and `prev`; a `hash` it has is left out. */
export function hashOf(entry: AuditEntry & { readonly prev: string }): string {
  const { hash: _own, ...rest } = entry as SealedEntry;
  return sha256(`${entry.prev}\n${canonicalJson(rest as unknown as JsonValue)}`);
}

/** As it is stored, exported and archived: one line. */
export const packSealed = (entry: SealedEntry): string => canonicalJson({ ...entry });

/** The entry of a line; null when it is none, or not written as {@link packSealed} writes it. Its hashes are not checked. */
export function parseSealed(line: string): SealedEntry | null {
  try {
    const value: unknown = JSON.parse(line);
    if (!isEntry(value)) return null;
    const { seq, prev, hash } = value as SealedEntry;
    const chained = Number.isSafeInteger(seq) && seq > 0 && [prev, hash].every((text) => HASH.test(text));
    return chained && canonicalJson({ ...value }) === line ? (value as SealedEntry) : null;
  } catch {
    return null;
  }
}
