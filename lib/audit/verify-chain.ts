/** Says whether lines of a log are one unbroken chain, and if not, where it breaks first and how. Pure; offline. */
import { type AuditHead, GENESIS, hashOf, parseSealed } from './chain.ts';

export type Breach =
  /** A line is no entry, or not written as the log writes it. */
  | 'unreadable'
  /** Numbers are left out. */
  | 'missing'
  /** An entry stands at another place than its number says, or twice. */
  | 'reordered'
  /** It does not follow the entry before it. */
  | 'wrong_prev'
  /** It is not what was sealed. */
  | 'wrong_hash'
  /** The chain does not reach the head it must reach: its end was cut off, or it was written anew. */
  | 'truncated';

export interface Broken {
  /** Number of the first entry that is not as it must be. */
  readonly seq: number;
  /** Line it was found at, from 1. */
  readonly line: number;
  readonly why: Breach;
  readonly message: string;
}

/** What was read so far, or all of it. */
export interface Verified {
  readonly entries: number;
  readonly first: number | null;
  readonly head: AuditHead;
}

export type Verdict = ({ readonly ok: true } | { readonly ok: false; readonly broken: Broken }) & Verified;

export interface VerifyOptions {
  /** What the first line follows; `any`: it is a part of a log, and what it says it follows is believed. Default: nothing. */
  readonly after?: AuditHead | 'any';
  /** A head noted elsewhere: its hash must be in the chain, at its number where that is known. */
  readonly head?: { readonly hash: string; readonly seq?: number };
}

export type ChainVerifier = ReturnType<typeof createChainVerifier>;

/** Takes line after line, so that a log of any length needs no memory. */
export function createChainVerifier({ after = GENESIS, head: wanted }: VerifyOptions = {}) {
  let last = after === 'any' ? null : after;
  let entries = 0;
  let line = 0;
  let first: number | null = null;
  let broken: Broken | undefined;
  /** Met the number after a gap: whether the one left out still comes decides between missing and reordered. */
  let gap: { readonly seq: number; readonly line: number; readonly next: number } | undefined;
  let met = wanted === undefined || (last !== null && isWanted(last));

  function isWanted({ seq, hash }: AuditHead): boolean {
    return wanted !== undefined && hash === wanted.hash && (wanted.seq === undefined || seq === wanted.seq);
  }

  /** What is wrong with the next line; undefined: nothing, and it is counted. */
  const judge = (text: string): Omit<Broken, 'line'> | undefined => {
    const entry = parseSealed(text);
    if (entry === null) {
      const message = `line ${line} is not an entry as the log writes it`;
      return { seq: (last?.seq ?? 0) + 1, why: 'unreadable', message };
    }
    last ??= { seq: entry.seq - 1, hash: entry.prev };
    const { seq, prev, hash } = entry;
    if (seq <= last.seq) return { seq, why: 'reordered', message: `entry ${seq} stands after entry ${last.seq}` };
    if (seq > last.seq + 1) {
      gap = { seq: last.seq + 1, line, next: seq };
      return undefined;
    }
    if (prev !== last.hash)
      return { seq, why: 'wrong_prev', message: `entry ${seq} does not follow the one before it` };
    if (hash !== hashOf(entry)) return { seq, why: 'wrong_hash', message: `entry ${seq} is not what was sealed` };
    entries++;
    first ??= seq;
    last = { seq, hash };
    met ||= isWanted(last);
    return undefined;
  };

  /** After a gap: the number left out, when it stands here. */
  const lookFor = (open: NonNullable<typeof gap>, text: string): Omit<Broken, 'line'> | undefined => {
    const { seq, next } = open;
    if (parseSealed(text)?.seq !== seq) return undefined;
    return { seq, why: 'reordered', message: `entry ${seq} stands after entry ${next}` };
  };

  const endOf = (): Broken | undefined => {
    if (gap !== undefined) {
      const { seq, next } = gap;
      const left = next - seq === 1 ? `entry ${seq} is` : `entries ${seq} to ${next - 1} are`;
      return { seq, line: gap.line, why: 'missing', message: `${left} missing` };
    }
    if (met) return undefined;
    const message = `the head ${wanted?.hash} is not in the log: its end was cut off, or it was written anew`;
    return { seq: (last?.seq ?? 0) + 1, line, why: 'truncated', message };
  };

  const told = (): Verified => ({ entries, first, head: last ?? GENESIS });

  return {
    /** @returns false when nothing more need be read: the verdict is known. */
    take(text: string): boolean {
      if (broken !== undefined) return false;
      line++;
      const found = gap === undefined ? judge(text) : lookFor(gap, text);
      if (found !== undefined) broken = { ...found, line: gap?.line ?? line };
      return broken === undefined;
    },
    /** How far it is. */
    progress: told,
    /** All lines were taken. */
    end(): Verdict {
      broken ??= endOf();
      return broken === undefined ? { ok: true, ...told() } : { ok: false, broken, ...told() };
    },
  };
}

/** All lines at once. */
export function verify(lines: Iterable<string>, options?: VerifyOptions): Verdict {
  const verifier = createChainVerifier(options);
  for (const text of lines) if (!verifier.take(text)) break;
  return verifier.end();
}
