/** Reads entries through the gate: the value, or what is known of it; perhaps with the lease to load it anew. */
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import type { EntryName, Keys } from '../keys.ts';
import { getCacheEntry, leaseCacheEntry } from '../redis/bindings/cache-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import { readEntry, readHead, type StoredEntry, type StoredHead } from './entry.ts';
import { entryKeys, etagsText, newOperation, resourceOf } from './entry-call.ts';

/** The caller has what is stored. */
export type Unchanged = StoredHead & { readonly unchanged: true };

export interface ReadOptions {
  /** ETags the caller has, without quotes, or `*`: then `unchanged`, without the value. */
  readonly ifNoneMatch?: readonly string[] | '*';
  /** One that is past its lifetime will do, within its grace. */
  readonly stale?: boolean;
}

export interface LeaseOptions {
  /** How long who loads may take, ms. */
  readonly leaseMs: number;
  /** Share of its lifetime, 0 to 1, after which a fresh entry is to be loaded anew; 0: never. */
  readonly earlyShare: number;
}

/**
 * Who loads an entry that is missing, stale or soon to be: `granted` this caller, who stores it with the token; `held` somebody
 * else, for `lastsMs` at most.
 */
export type Lease =
  | { readonly state: 'none' }
  | { readonly state: 'granted'; readonly token: string; readonly lastsMs: number }
  | { readonly state: 'held'; readonly lastsMs: number };

/** What a read found. */
const NONE = 0;
const UNCHANGED = 2;

interface Found {
  readonly state: RedisReply | undefined;
  readonly text: string;
  readonly nowMs: number;
  readonly context: TenantContext;
}

export type EntryReader = ReturnType<typeof createEntryReader>;

export function createEntryReader(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly cipher: TenantCipher;
  /** What becomes of an entry that cannot be read; `error` is thrown on when it is another. */
  readonly discard: (caller: Caller, name: EntryName, text: string, error: unknown) => Promise<null>;
}) {
  const { gate, keys, config, cipher, discard } = deps;

  const look = async (caller: Caller, name: EntryName, args: { want: string; stale: 0 | 1 }): Promise<Found> => {
    const { entry, index } = forCaller(caller, name);
    const startedAt = performance.now();
    const { nowMs, found, context } = await gate.run(caller, {
      script: getCacheEntry,
      scope: 'cache:read',
      kind: 'read',
      resource: resourceOf(name),
      keys: (context) => ({ entry: entry(context), index: index(context) }),
      args: () => args,
    });
    gate.carryAccess(caller.tenantId, (performance.now() - startedAt) * 1000);
    return { state: found[0], text: found[1] as string, nowMs, context };
  };

  const forCaller = (caller: Caller, name: EntryName) => {
    const all = entryKeys(keys, caller.tenantId, name);
    return {
      all,
      entry: (context: TenantContext) => all(context).entry,
      index: (context: TenantContext) => all(context).index,
    };
  };

  const decode = async (caller: Caller, name: EntryName, found: Found): Promise<StoredEntry | Unchanged | null> => {
    const { state, text, nowMs, context } = found;
    if (state === NONE) return null;
    try {
      if (state === UNCHANGED) return { ...readHead(text, nowMs), unchanged: true };
      return await readEntry(text, {
        name,
        nowMs,
        maxBytes: config.maxEntrySizeBytes,
        open: (payload, parts) => cipher.open(caller.tenantId, context, payload, parts),
      });
    } catch (error) {
      return discard(caller, name, text, error);
    }
  };

  return {
    /** The entry, or null when there is none. A stored value that fails its digest is reported, removed and a miss. */
    async get(caller: Caller, name: EntryName, options: ReadOptions = {}): Promise<StoredEntry | Unchanged | null> {
      const { ifNoneMatch = [], stale = false } = options;
      const want = ifNoneMatch === '*' ? '*' : etagsText(ifNoneMatch);
      return decode(caller, name, await look(caller, name, { want, stale: stale ? 1 : 0 }));
    },

    /** What is known of the entry, without its value; or null. */
    async head(caller: Caller, name: EntryName, { stale = false }: ReadOptions = {}): Promise<StoredHead | null> {
      const { state, text, nowMs } = await look(caller, name, { want: 'meta', stale: stale ? 1 : 0 });
      if (state === NONE) return null;
      try {
        return readHead(text, nowMs);
      } catch (error) {
        return discard(caller, name, text, error);
      }
    },

    /**
     * The entry, also a stale one, and the lease to load it where that is to be done. One round trip; of all who ask at once, in
     * any process, one is granted the lease.
     */
    async getOrLease(
      caller: Caller,
      name: EntryName,
      { leaseMs, earlyShare, ifNoneMatch = [] }: LeaseOptions & Pick<ReadOptions, 'ifNoneMatch'>,
    ): Promise<{ readonly entry: StoredEntry | Unchanged | null; readonly lease: Lease; readonly nowMs: number }> {
      const { all } = forCaller(caller, name);
      const own = {
        want: ifNoneMatch === '*' ? '*' : etagsText(ifNoneMatch),
        op: newOperation(),
        leaseMs,
        early: Math.round(earlyShare * 1000),
      };
      const startedAt = performance.now();
      const { nowMs, found, context } = await gate.run(caller, {
        script: leaseCacheEntry,
        scope: 'cache:read',
        kind: 'write',
        resource: resourceOf(name),
        keys: all,
        args: () => own,
      });
      gate.carryAccess(caller.tenantId, (performance.now() - startedAt) * 1000);
      const [state, text, leaseState, token, lastsMs] = found;
      const entry = await decode(caller, name, { state, text: text as string, nowMs, context });
      return { entry, lease: readLease(leaseState, token, lastsMs), nowMs };
    },
  };
}

function readLease(
  state: RedisReply | undefined,
  token: RedisReply | undefined,
  lastsMs: RedisReply | undefined,
): Lease {
  if (state === 1) return { state: 'granted', token: token as string, lastsMs: Number(lastsMs) };
  return state === 2 ? { state: 'held', lastsMs: Math.max(0, Number(lastsMs)) } : { state: 'none' };
}
