/**
 * Entries that this instance holds in its own memory, as they were read: the least recently used go first when they are too
 * many bytes. Every operation is O(1), {@link LocalEntries.forgetTenant} in proportion to what it frees.
 *
 * Who changes an entry says so with `forget` or `keep` once Redis has answered; of a read that was under way meanwhile the
 * outcome is not kept. Other instances' changes are not seen: how old an entry may be is for the reader, by `validatedAtMs`.
 */
import type { EntryName } from '../../keys.ts';
import type { StoredEntry, StoredHead } from '../entry.ts';
import { createForgotten } from './forgotten-entries.ts';
import { createRecency, type Linked } from './recency.ts';

export interface LocalName extends EntryName {
  readonly tenantId: string;
  /** Of the tenant's stock. What was kept under a lower one is gone. */
  readonly generation: number;
}

export interface LocalEntry {
  readonly entry: StoredEntry;
  /** When Redis was last asked, Unix ms of this instance's clock: before the call, not after it. */
  readonly validatedAtMs: number;
}

/**
 * Bytes an entry is counted with besides its value, its metadata as JSON and its name: the objects around them. On the heap
 * of Node 24 they were 750 with two tags and an attribute; the rest is for the allocator.
 */
export const LOCAL_ENTRY_OVERHEAD_BYTES = 1_024;
/** An entry above this part of the whole is not kept: it would cost too many others. */
const LARGEST_PART = 1 / 8;

interface Kept extends Linked<Kept> {
  entry: StoredEntry;
  validatedAtMs: number;
  readonly tenant: TenantEntries;
  readonly id: string;
  readonly bytes: number;
  /** When Redis had answered. */
  keptAtMs: number;
}

interface TenantEntries {
  readonly tenantId: string;
  readonly generation: number;
  readonly entries: Map<string, Kept>;
}

export type LocalEntries = ReturnType<typeof createLocalEntries>;

/** @param options.maxBytes 0: nothing is kept. `now`: Unix ms. */
export function createLocalEntries({ maxBytes, now }: { readonly maxBytes: number; readonly now: () => number }) {
  const tenants = new Map<string, TenantEntries>();
  const recency = createRecency<Kept>();
  const forgotten = createForgotten();
  let bytes = 0;

  const drop = (kept: Kept) => {
    const { tenant } = kept;
    recency.remove(kept);
    tenant.entries.delete(kept.id);
    if (tenant.entries.size === 0) tenants.delete(tenant.tenantId);
    bytes -= kept.bytes;
  };
  const dropTenant = (tenant: TenantEntries | undefined) => {
    for (const kept of tenant?.entries.values() ?? []) drop(kept);
  };
  const lookUp = (name: LocalName) => {
    const tenant = tenants.get(name.tenantId);
    return tenant?.generation === name.generation ? tenant.entries.get(idOf(name)) : undefined;
  };
  /** Null: the tenant is known to be in a later generation. */
  const tenantOf = ({ tenantId, generation }: LocalName): TenantEntries | null => {
    const known = tenants.get(tenantId);
    if (known !== undefined && known.generation > generation) return null;
    if (known?.generation === generation) return known;
    dropTenant(known);
    const tenant = { tenantId, generation, entries: new Map() };
    tenants.set(tenantId, tenant);
    return tenant;
  };
  const forget = (name: LocalName): void => {
    const kept = lookUp(name);
    if (kept !== undefined) drop(kept);
    forgotten.add(name, now());
  };

  return {
    /**
     * The entry, unless it has expired; `ageMs` and `stale` as of now, never too young. The value is a copy, the caller's own: 10 µs for 100 KB. The
     * metadata is frozen.
     */
    find(name: LocalName): LocalEntry | null {
      const kept = lookUp(name);
      if (kept === undefined) return null;
      const { entry, validatedAtMs } = kept;
      const { expiresAtMs, freshUntilMs } = entry;
      const ageMs = entry.ageMs + Math.max(0, now() - validatedAtMs);
      // The time by the clock that counted its age, which is that of its expiry too.
      const nowMs = entry.updatedAtMs + ageMs;
      if (expiresAtMs !== null && expiresAtMs <= nowMs) {
        drop(kept);
        return null;
      }
      recency.touch(kept);
      const stale = freshUntilMs !== null && freshUntilMs <= nowMs;
      return { entry: { ...entry, ageMs, stale, value: Buffer.from(entry.value) }, validatedAtMs };
    },

    /**
     * Keeps a copy of the entry, unless what is known here is newer; one that is too large is forgotten instead.
     * @param read what Redis answered just now.
     */
    keep(name: LocalName, read: LocalEntry): void {
      const earlier = lookUp(name);
      if (forgotten.isSince(name, read.validatedAtMs) || (earlier !== undefined && isNewer(earlier, read))) return;
      const size = bytesOf(name, read.entry);
      if (size > maxBytes * LARGEST_PART) {
        forget(name);
        return;
      }
      if (earlier !== undefined) drop(earlier);
      const tenant = tenantOf(name);
      if (tenant === null) return;
      const { entry, validatedAtMs } = read;
      const links = { newer: null, older: null };
      const kept: Kept = {
        tenant,
        id: idOf(name),
        bytes: size,
        entry: ownCopy(entry),
        validatedAtMs,
        keptAtMs: now(),
        ...links,
      };
      tenant.entries.set(kept.id, kept);
      recency.add(kept);
      bytes += size;
      for (let last = recency.oldest(); bytes > maxBytes && last !== null; last = recency.oldest()) drop(last);
    },

    /**
     * Redis was asked, at `validatedAtMs`, and said that the copy is what is stored; `head`: its times now. Unless another one
     * is held by now.
     */
    confirm(name: LocalName, head: StoredHead, validatedAtMs: number): void {
      const kept = lookUp(name);
      if (kept === undefined || kept.entry.etag !== head.etag || forgotten.isSince(name, validatedAtMs)) return;
      if (isNewer(kept, { entry: { ...kept.entry, ...head }, validatedAtMs })) return;
      const { expiresAtMs, freshUntilMs, stale, updatedAtMs, ageMs } = head;
      kept.entry = { ...kept.entry, expiresAtMs, freshUntilMs, stale, updatedAtMs, ageMs };
      kept.validatedAtMs = validatedAtMs;
      kept.keptAtMs = now();
    },

    /** The entry was removed; or changed, to nobody knows what. */
    forget,

    /** Entries of the tenant were changed or removed, nobody says which: a tag, a prefix, all of them. */
    forgetTenant(tenantId: string): void {
      dropTenant(tenants.get(tenantId));
      forgotten.addAll(now());
    },

    /** What is held now. Bytes: values, metadata, names and `LOCAL_ENTRY_OVERHEAD_BYTES` each. */
    usage: () => ({ bytes, entries: recency.count() }),
  };
}

/** Whether the entry here is newer than one read: of two calls at the same time, the later state of Redis counts. */
function isNewer(kept: Pick<Kept, keyof LocalEntry | 'keptAtMs'>, read: LocalEntry): boolean {
  if (read.validatedAtMs > kept.keptAtMs) return false;
  const ahead = kept.entry.updatedAtMs - read.entry.updatedAtMs;
  return ahead === 0 ? kept.validatedAtMs > read.validatedAtMs : ahead > 0;
}

/** What the entry is counted with. */
const bytesOf = (name: LocalName, { value, meta }: StoredEntry): number =>
  value.length +
  Buffer.byteLength(JSON.stringify(meta)) +
  Buffer.byteLength(name.namespace) +
  Buffer.byteLength(name.key) +
  LOCAL_ENTRY_OVERHEAD_BYTES;

/** A namespace holds no NUL. */
const idOf = ({ namespace, key }: EntryName) => `${namespace}\0${key}`;

/** Its bytes in memory of their own: a view would keep alive whatever they were cut from. */
function ownCopy(entry: StoredEntry): StoredEntry {
  const value = Buffer.allocUnsafeSlow(entry.value.length);
  entry.value.copy(value);
  const { tags, attributes } = entry.meta;
  const meta = Object.freeze({
    ...entry.meta,
    ...(tags === undefined ? {} : { tags: Object.freeze([...tags]) }),
    ...(attributes === undefined ? {} : { attributes: Object.freeze({ ...attributes }) }),
  });
  return { ...entry, meta, value };
}
