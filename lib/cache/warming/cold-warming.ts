/** Brings values that were moved to S3 back into Redis, for an administrator who names them, or the ones used last. */
import type { TenantContext } from '../../gate/context-format.ts';
import type { TenantId } from '../../ids.ts';
import { type EntryName, type Keys, parseListing } from '../../keys.ts';
import { parseHead } from '../entry-format.ts';
import type { ColdTier } from '../memory/cold-tier.ts';
import type { ColdestEntries } from '../memory/coldest-entries.ts';
import { type EntryPeeker, PEEK_ENTRIES } from './entry-peeker.ts';
import type { WarmItem } from './warm-contract.ts';

/** Values moved at once. */
const AT_ONCE = 8;
/** Thousandths of the tenant's memory that may be in use then. */
const MEMORY_SHARE = 1_000;

export interface ColdCall {
  readonly context: TenantContext;
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type ColdWarming = ReturnType<typeof createColdWarming>;

export function createColdWarming(deps: {
  readonly keys: Keys;
  readonly peeker: EntryPeeker;
  readonly coldest: Pick<ColdestEntries, 'latest'>;
  readonly coldTier: Pick<ColdTier, 'warm'>;
  /** Larger ones stay in S3. */
  readonly inlineMaxBytes: number;
}) {
  const { keys, peeker, coldest, coldTier } = deps;

  /** What it needs: null, to be moved. */
  const judge = (text: string | undefined): Omit<WarmItem, 'namespace' | 'key'> | null => {
    if (text === undefined || text === '') return { status: 'skipped_absent' };
    const { blob, codec } = parseHead(text).head;
    if (blob === null) return { status: 'skipped_exists' };
    const isLarge = blob.bytes > deps.inlineMaxBytes || codec === 'raw';
    return isLarge ? { status: 'too_large', detail: 'it is too large for Redis, and is read from S3' } : null;
  };

  const moveOne = async (
    id: TenantId,
    name: EntryName,
    text: string | undefined,
    call: ColdCall,
  ): Promise<WarmItem> => {
    const known = judge(text);
    if (known !== null) return { ...known, ...name };
    if (call.dryRun) return { status: 'stored', ...name };
    const { generation } = call.context;
    const [record, lease] = [keys.cacheEntry(id, generation, name), keys.lease(id, generation, name)];
    const found = { record, lease, access: '', member: '' };
    const { moved } = await coldTier.warm({ id, generation, signal: call.signal }, [found], MEMORY_SHARE);
    if (moved === 1) return { status: 'stored', ...name };
    const detail = 'there is no room for it, or it was written or removed meanwhile, or is damaged';
    return { status: 'not_moved', ...name, detail };
  };

  const movePage = async (id: TenantId, names: readonly EntryName[], call: ColdCall): Promise<readonly WarmItem[]> => {
    const texts: string[] = [];
    // Stubs are small: one call reads them, unless values in Redis are among them.
    while (texts.length < names.length) {
      const { texts: more } = await peeker.peek(id, names.slice(texts.length), {
        known: call.context,
        signal: call.signal,
      });
      texts.push(...more);
    }
    const items: WarmItem[] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      items.push(...(await Promise.all(some.map((name, i) => moveOne(id, name, texts[at + i], call)))));
    }
    return items;
  };

  return {
    /** Those that are named, of one namespace each hundred; again, it moves what is left. @throws {BlobUnavailableError} */
    async keys(id: TenantId, names: readonly EntryName[], call: ColdCall): Promise<readonly WarmItem[]> {
      const items: WarmItem[] = [];
      for (let at = 0; at < names.length; at += PEEK_ENTRIES)
        items.push(...(await movePage(id, names.slice(at, at + PEEK_ENTRIES), call)));
      return items;
    },

    /** Those used last, `limit` at most. @throws as `keys`. */
    async latest(id: TenantId, limit: number, call: ColdCall): Promise<readonly WarmItem[]> {
      const items: WarmItem[] = [];
      let after: string | undefined;
      while (items.length < limit) {
        const count = Math.min(PEEK_ENTRIES, limit - items.length);
        const found = await coldest.latest(id, call.context.generation, 's', { count, after, signal: call.signal });
        for (const [, names] of byNamespace(found.map(({ member }) => nameOf(member))))
          items.push(...(await movePage(id, names, call)));
        after = found.at(-1)?.member;
        if (found.length < count) break;
      }
      return items;
    },
  };
}

/** Of a member `s\0<access>\0c\0<namespace>\0<key>`. */
const nameOf = (member: string): EntryName => parseListing(['k', ...member.split('\0').slice(2)].join('\0'));

function byNamespace(names: readonly EntryName[]): ReadonlyMap<string, readonly EntryName[]> {
  const groups = new Map<string, EntryName[]>();
  for (const name of names) groups.set(name.namespace, [...(groups.get(name.namespace) ?? []), name]);
  return groups;
}
