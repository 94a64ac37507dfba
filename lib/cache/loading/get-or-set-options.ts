/** What a load is given and gives, and how the cache is asked for it. */
import type { StoredEntry } from '../entry.ts';
import type { EntryMeta } from '../entry-format.ts';

export interface LoadContext {
  /** Aborts when everybody who waits has given up: their own signals, not their timeouts. */
  readonly signal: AbortSignal;
  /** What there is, past its lifetime or soon to be; null: nothing. */
  readonly stale: StoredEntry | null;
  /** How long what is loaded is fresh, ms; null: it never expires. Before anything else that says so. */
  setTtl(ttlMs: number | null): void;
  /** How long it may be served stale after that, ms. */
  setGrace(graceMs: number): void;
  setTags(tags: readonly string[]): void;
  /** What is loaded is not to be stored. */
  skip(): void;
}

export interface Loaded {
  readonly value: Uint8Array;
  /** Absent: bytes of which nothing is known. */
  readonly meta?: EntryMeta;
  readonly ttlMs?: number | null;
  readonly graceMs?: number;
}

/** Loads a value from its source. Null: it is known that there is none. */
export type Load = (context: LoadContext) => Promise<Loaded | null>;

export interface GetOrSetOptions {
  /** As of `set`; absent: as the namespace is set. */
  readonly ttlMs?: number | null;
  readonly graceMs?: number;
  readonly tags?: readonly string[];
  /** How long "there is none" is kept, ms; 0, the default: not at all. */
  readonly negativeTtlMs?: number;
  /** How long a load may take before somebody else may try, ms. Default 10 s; at most `cache.max_lease_ms`. */
  readonly leaseMs?: number;
  /** While somebody else loads: a stale value at once where there is one, the default; or wait for the fresh one. */
  readonly whenBusy?: 'stale' | 'wait';
  /** How long to wait for somebody else, ms. Default: a second more than a lease. */
  readonly waitMs?: number;
  /** After that: load without storing it, the default, once for all who wait in this instance; or LoadTimeoutError. */
  readonly whenWaitEnds?: 'load' | 'throw';
  /** Share of its lifetime, 0 to 1, after which one caller loads a fresh value anew in the background. Default 0: never. */
  readonly earlyShare?: number;
  /** A load that takes longer, ms: who has a stale value is given it. The load goes on, and is stored. Default: none. */
  readonly softTimeoutMs?: number;
  /** A load that takes longer, ms, is not waited for: the stale value, or LoadTimeoutError. It goes on, and is stored. */
  readonly hardTimeoutMs?: number;
  /**
   * While Redis does not answer: `load` as if there were no cache, the default, for keys this instance saw admitted within 5
   * minutes; or `throw`, as `get` does.
   */
  readonly onUnavailable?: 'load' | 'throw';
  /**
   * Given work that goes on after the answer. Lambda freezes an instance that has answered: without this, a load in the
   * background may stand still there, and its lease run out.
   */
  readonly waitUntil?: (work: Promise<void>) => void;
  /** Told why a load in the background failed: nobody waits for it. */
  readonly onBackgroundError?: (error: unknown) => void;
}

/** What a caller is given. */
export interface Obtained {
  /** The caller's own copy. */
  readonly value: Buffer;
  readonly meta: EntryMeta;
  readonly from: 'cache' | 'load';
  /** It is past its lifetime, and within its grace. */
  readonly stale: boolean;
  /** Of a load: why it is not stored: the `code` of an error, as `lease_lost`; or `skipped`, `unguarded`. Null: it is. */
  readonly notStored: string | null;
}

const DEFAULT_LEASE_MS = 10_000;
/** For the last poll. */
const WAIT_BEYOND_LEASE_MS = 1_000;

export type Resolved = ReturnType<typeof resolveOptions>;

export function resolveOptions(options: GetOrSetOptions, maxLeaseMs: number) {
  const leaseMs = Math.max(1, Math.min(options.leaseMs ?? DEFAULT_LEASE_MS, maxLeaseMs));
  return {
    ...options,
    leaseMs,
    negativeTtlMs: options.negativeTtlMs ?? 0,
    whenBusy: options.whenBusy ?? 'stale',
    waitMs: options.waitMs ?? leaseMs + WAIT_BEYOND_LEASE_MS,
    whenWaitEnds: options.whenWaitEnds ?? 'load',
    earlyShare: options.earlyShare ?? 0,
    softTimeoutMs: options.softTimeoutMs ?? Number.POSITIVE_INFINITY,
    hardTimeoutMs: options.hardTimeoutMs ?? Number.POSITIVE_INFINITY,
    onUnavailable: options.onUnavailable ?? 'load',
  } as const;
}
