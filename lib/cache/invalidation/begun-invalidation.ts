/** What the scripts that begin an invalidation take and answer. Pure. */
import { escapeControls } from '../../keys.ts';
import type { RedisReply } from '../../redis/driver.ts';
import type { InvalidateCacheResponse } from './invalidate-contract.ts';
import { type Selector, walkedBy } from './selector.ts';

export interface Begun {
  /** Too many tags or namespaces wait to be reclaimed: nothing was done. */
  readonly behind: boolean;
  /** Entries with a greater seq were written later. */
  readonly seq: number;
  /** Records that have expired; while it is above 0 the counts are not exact. */
  readonly unsettled: number;
  /** The newest epoch that was not settled before; 0: none. The counts are exact when all up to it is reclaimed. */
  readonly newest: number;
  /** Of each name. */
  readonly counts: readonly number[];
}

const BEHIND = 2;

/** From the script's own answer on. */
export const readBegun = ([outcome, seq, unsettled, newest, ...counts]: readonly RedisReply[]): Begun => ({
  behind: outcome === BEHIND,
  seq: Number(seq),
  unsettled: Number(unsettled),
  newest: Number(newest),
  counts: counts.map(Number),
});

/** Nothing of before is in the counts. */
export const isExact = ({ unsettled, newest }: Begun, reclaimedUpTo = 0): boolean =>
  unsettled === 0 && newest <= reclaimedUpTo;

/** As includes/invalidate.lua names it. */
export function namesOf(selector: Selector): { readonly what: string; readonly names: readonly string[] } {
  switch (selector.by) {
    case 'keys':
      return { what: 'named', names: [] };
    case 'tags':
      return { what: 'tags', names: selector.tags };
    case 'namespace':
      return { what: 'namespace', names: [selector.namespace] };
    case 'all':
      return { what: 'all', names: [] };
    default: {
      const prefix = walkedBy(selector)?.prefix ?? '';
      return { what: 'prefix', names: [selector.namespace, escapeControls(prefix)] };
    }
  }
}

/** One count. `count` null: it is not known. */
export const countReply = (dry: boolean, count: number | null, exact: boolean): InvalidateCacheResponse =>
  dry ? { would_invalidate: count, exact } : { invalidated: count, exact };

/** A count of each tag; of several their sum says nothing, for an entry may have more than one. */
export function tagsReply(dry: boolean, tags: readonly string[], counts: readonly number[], exact: boolean) {
  const items = tags.map((tag, i) => {
    const count = counts[i] ?? 0;
    return dry ? { tag, would_invalidate: count } : { tag, invalidated: count };
  });
  return { ...countReply(dry, tags.length === 1 ? (counts[0] ?? 0) : null, exact), items };
}
