/** Ranges of a tenant's index that list cache entries. Pure. Members: lib/redis/scripts/includes/record.lua, entry-removal.lua. */
import { escapeControls } from '../../keys.ts';

export interface EntryRange {
  /** The first member it may have. */
  readonly first: string;
  /** The first behind it. */
  readonly last: string;
  /** What its members begin with; those behind the last such one are not of it. */
  readonly prefix: string;
}

const within = (prefix: string, last: string): EntryRange => ({ first: prefix, last, prefix });

export const ALL_ENTRIES: EntryRange = within('k\0c\0', 'k\0c\x01');

/** Entries of a namespace whose key begins so; as the index has them, escaped. */
export const entriesOf = (namespace: string, prefix = ''): EntryRange =>
  within(`k\0c\0${namespace}\0${escapeControls(prefix)}`, `k\0c\0${namespace}\x01`);

export const entriesWithTag = (tag: string): EntryRange => within(`t\0${tag}\0`, `t\0${tag}\x01`);

/** The member that lists the entry, of any that names it by a tag. */
export const listingOf = (member: string): string =>
  member.startsWith('t\0') ? `k${member.slice(member.indexOf('\0', 2))}` : member;

/** The command for up to `limit` members of the range, behind `after`; null: from its beginning. */
export const rangeCommand = (index: string, { first, last }: EntryRange, after: string | null, limit: number) =>
  ['ZRANGE', index, after === null ? `[${first}` : `(${after}`, `(${last}`, 'BYLEX', 'LIMIT', 0, limit] as const;
