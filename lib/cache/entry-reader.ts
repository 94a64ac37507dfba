/** Reads entries through the gate: the value, or what is known of it; perhaps with the lease to load it anew. */
import type { CacheConfig } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import type { EntryName, Keys } from '../keys.ts';
import { getCacheEntry, leaseCacheEntry } from '../redis/bindings/cache-read-scripts.ts';
import type { RedisReply } from '../redis/driver.ts';
import { mostRawBytes, type Reading, readEntry, readHead, type StoredEntry, type StoredHead } from './entry.ts';
import { entryKeys, etagsText, newOperation, resourceOf } from './entry-call.ts';
import { rawBytesOf } from './entry-format.ts';
import { checkName } from './entry-rules.ts';
import type { BlobValues } from './large/blob-values.ts';
import type { LinkedEntry, ValueLinks } from './large/value-links.ts';
import type { LocalEntry } from './local/local-entries.ts';
import type { LocalReads } from './local/local-reads.ts';
import type { ColdTier } from './memory/cold-tier.ts';

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
  /** Whether one past its lifetime will do, within its grace. Default true. */
  readonly stale?: boolean;
}

/**
 * Who loads an entry that is missing, stale or soon to be: `granted` this caller, who stores it with the token; `held` somebody
 * else, for `lastsMs` at most.
 */
export type Lease =
  | { readonly state: 'none' }
  | { readonly state: 'granted'; readonly token: string; readonly lastsMs: number }
  | { readonly state: 'held'; readonly lastsMs: number };

export interface LeasedRead {
  readonly entry: StoredEntry | Unchanged | null;
  readonly lease: Lease;
  readonly nowMs: number;
  /** Of the tenant's stock. */
  readonly generation: number;
}

/** The same, with a URL in the place of a value that is too large. */
export type Linked<Read extends { readonly entry: unknown }> = Omit<Read, 'entry'> & {
  readonly entry: Read['entry'] | LinkedEntry;
};

/** What a read found. */
const NONE = 0;
const UNCHANGED = 2;
const AS_HELD = 3;

interface Found {
  readonly state: RedisReply | undefined;
  readonly text: string;
  readonly nowMs: number;
  readonly context: TenantContext;
  /** The copy this instance held when it asked. */
  readonly held: LocalEntry | null;
  /** By the clock of the copies. */
  readonly askedAtMs: number;
}

export type EntryReader = ReturnType<typeof createEntryReader>;

export function createEntryReader(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly cipher: TenantCipher;
  readonly blobValues: Pick<BlobValues, 'read'>;
  readonly links: ValueLinks;
  readonly local: LocalReads;
  /** Brings a value that was read from S3 back into Redis, if it belongs there. Never fails. */
  readonly promote: ColdTier['promote'];
  /** What becomes of an entry that cannot be read; `error` is thrown on when it is another. */
  readonly discard: (caller: Caller, name: EntryName, text: string, error: unknown) => Promise<null>;
}) {
  const { gate, keys, config, cipher, blobValues, links, local, promote, discard } = deps;

  /** What to ask for: the value, unless the caller or this instance has it. */
  const wanting = (caller: Caller, name: EntryName, ifNoneMatch: readonly string[] | '*') => {
    const own = ifNoneMatch === '*' ? '*' : etagsText(ifNoneMatch);
    const asked: { held: LocalEntry | null; readonly askedAtMs: number } = { held: null, askedAtMs: local.nowMs() };
    const want = (context: TenantContext): string => {
      asked.held = own === '*' ? null : local.find(caller.tenantId, name, context);
      if (asked.held === null) return own;
      return own === '' ? `=${asked.held.entry.etag}` : `${own},=${asked.held.entry.etag}`;
    };
    return { asked, want };
  };

  const look = async (
    caller: Caller,
    name: EntryName,
    { asked, want, stale }: Pick<ReturnType<typeof wanting>, 'asked' | 'want'> & { readonly stale: boolean },
  ): Promise<Found> => {
    const startedAt = performance.now();
    const { nowMs, found, context } = await gate.run(caller, {
      script: getCacheEntry,
      scope: 'cache:read',
      kind: 'read',
      resource: resourceOf(name),
      keys: entryKeys(keys, caller.tenantId, name),
      args: (context) => ({ want: want(context), stale: stale ? 1 : 0 }),
    });
    gate.carryAccess(caller.tenantId, (performance.now() - startedAt) * 1000);
    return { state: found[0], text: found[1] as string, nowMs, context, ...asked };
  };

  const decode = async <Large = never>(
    caller: Caller,
    name: EntryName,
    found: Found,
    /** What becomes of an entry whose value is not wanted as it is; null: nothing else than of any. */
    linked: (text: string, reading: Reading, generation: number) => Promise<Large> | null = () => null,
  ): Promise<StoredEntry | Unchanged | Large | null> => {
    const { state, text, nowMs, context, held, askedAtMs } = found;
    const at = { context, askedAtMs };
    if (state === NONE) {
      if (held !== null) local.forget(caller.tenantId, name);
      return null;
    }
    try {
      if (state === UNCHANGED) return { ...readHead(text, nowMs), unchanged: true };
      if (state === AS_HELD && held !== null) {
        const head = readHead(text, nowMs);
        local.confirm(caller.tenantId, name, head, at);
        return { ...head, value: held.entry.value };
      }
      let object: Buffer | undefined;
      const reading: Reading = {
        name,
        nowMs,
        maxBytes: mostRawBytes(config),
        fetch: async (blob) => {
          const bytes = await blobValues.read(caller.tenantId, blob, caller.signal);
          if (bytes.length <= config.inlineMaxBytes) object = bytes;
          return bytes;
        },
        open: (payload, parts) => cipher.open(caller.tenantId, context, payload, parts),
      };
      const link = linked(text, reading, context.generation);
      if (link !== null) return await link;
      const entry = await readEntry(text, reading);
      local.keep(caller.tenantId, name, entry, at);
      if (object !== undefined) {
        const { tenantId: id, signal } = caller;
        const record = keys.cacheEntry(id, context.generation, name);
        await promote({ id, generation: context.generation, signal }, { record, stored: text, object });
      }
      return entry;
    } catch (error) {
      return discard(caller, name, text, error);
    }
  };

  return {
    /** The entry, or null when there is none. A stored value that fails its digest is reported, removed and a miss. */
    async get(caller: Caller, name: EntryName, options: ReadOptions = {}): Promise<StoredEntry | Unchanged | null> {
      const { ifNoneMatch = [], stale = false } = options;
      checkName(name);
      const known = local.answer(caller, name, stale);
      const entry =
        known === null
          ? await decode(caller, name, await look(caller, name, { ...wanting(caller, name, ifNoneMatch), stale }))
          : unlessHad(known, ifNoneMatch);
      return isAbsence(entry) ? null : entry;
    },

    /** As `get`; of a value above `maxBytes` a URL to read it by, for {@link LinkedEntry.link}. */
    async getOrLink(
      caller: Caller,
      name: EntryName,
      { maxBytes, ifNoneMatch = [], stale = false }: ReadOptions & { readonly maxBytes: number },
    ): Promise<StoredEntry | Unchanged | LinkedEntry | null> {
      checkName(name);
      const known = local.answer(caller, name, stale);
      if (known !== null && known.rawBytes <= maxBytes) return isAbsence(known) ? null : unlessHad(known, ifNoneMatch);
      const found = await look(caller, name, { ...wanting(caller, name, ifNoneMatch), stale });
      const { tenantId, signal } = caller;
      const entry = await decode(caller, name, found, (text, reading, generation) =>
        rawBytesOf(text) > maxBytes ? links.link(text, reading, { tenantId, generation, signal }) : null,
      );
      if (entry !== null && 'value' in entry && entry.value.length > maxBytes)
        return links.stage({ tenantId, generation: found.context.generation, signal }, entry);
      return isAbsence(entry) ? null : entry;
    },

    /** What `getOrLease` found, with a URL in the place of a value above `maxBytes`. */
    async linkLarge(
      { tenantId, signal }: Caller,
      read: LeasedRead,
      { maxBytes }: { readonly maxBytes: number },
    ): Promise<Linked<LeasedRead>> {
      const { entry, generation } = read;
      if (entry === null || 'unchanged' in entry || entry.value.length <= maxBytes) return read;
      return { ...read, entry: await links.stage({ tenantId, generation, signal }, entry) };
    },

    /** What is known of the entry, without its value; or null. */
    async head(caller: Caller, name: EntryName, { stale = false }: ReadOptions = {}): Promise<StoredHead | null> {
      const asked = { held: null, askedAtMs: local.nowMs() };
      const { state, text, nowMs } = await look(caller, name, { asked, want: () => 'meta', stale });
      if (state === NONE) return null;
      try {
        const head = readHead(text, nowMs);
        return isAbsence(head) ? null : head;
      } catch (error) {
        return discard(caller, name, text, error);
      }
    },

    /**
     * The entry, also a stale one and a known absence, and the lease to load it where that is to be done. One round trip; of all
     * who ask at once, in any process, one is granted the lease. Who is to store it needs `cache:write`.
     */
    async getOrLease(
      caller: Caller,
      name: EntryName,
      { leaseMs, earlyShare, stale = true, ifNoneMatch = [] }: LeaseOptions & Pick<ReadOptions, 'ifNoneMatch'>,
    ): Promise<LeasedRead> {
      const { asked, want } = wanting(caller, name, ifNoneMatch);
      const own = {
        op: newOperation(),
        leaseMs,
        early: Math.round(earlyShare * 1000),
        stale: stale ? 1 : 0,
      };
      const startedAt = performance.now();
      const { nowMs, found, context } = await gate.run(caller, {
        script: leaseCacheEntry,
        scope: 'cache:read',
        kind: 'write',
        resource: resourceOf(name),
        keys: entryKeys(keys, caller.tenantId, name),
        args: (current) => ({ ...own, want: want(current) }),
      });
      gate.carryAccess(caller.tenantId, (performance.now() - startedAt) * 1000);
      const [state, text, leaseState, token, lastsMs] = found;
      const entry = await decode(caller, name, { state, text: text as string, nowMs, context, ...asked });
      // What could not be read was removed, and its lease with it.
      const lease: Lease = entry === null && state !== NONE ? { state: 'none' } : readLease(leaseState, token, lastsMs);
      return { entry, lease, nowMs, generation: context.generation };
    },
  };
}

/** It is known that there is nothing: to a read that is a miss. */
const isAbsence = (entry: Pick<StoredHead, 'meta'> | null): boolean => entry?.meta.negative === true;

const unlessHad = (entry: StoredEntry, ifNoneMatch: readonly string[] | '*'): StoredEntry | Unchanged => {
  if (ifNoneMatch !== '*' && !ifNoneMatch.includes(entry.etag)) return entry;
  const { value, ...head } = entry;
  return { ...head, unchanged: true };
};

function readLease(
  state: RedisReply | undefined,
  token: RedisReply | undefined,
  lastsMs: RedisReply | undefined,
): Lease {
  if (state === 1) return { state: 'granted', token: token as string, lastsMs: Number(lastsMs) };
  return state === 2 ? { state: 'held', lastsMs: Math.max(0, Number(lastsMs)) } : { state: 'none' };
}
