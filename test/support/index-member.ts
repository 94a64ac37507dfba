/** Members of a tenant's index, as includes/record.lua makes them from a record's key. */
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { createKeys, type EntryName, type RecordKind } from '../../lib/keys.ts';

const keys = createKeys('');
const anyone = newTenantId(newUlid(0));

/** The member that lists the record. */
export function keyMember(name: EntryName, kind: RecordKind = 'c'): string {
  const [, namespace, key] = /}:g1:[cli]:([^:]*):(.*)$/s.exec(keys.counted(anyone, 1, kind, name)) ?? [];
  return `k\0${kind}\0${namespace}\0${key}`;
}

/** The member that orders the record by its expiry. */
export const expiryMember = (name: EntryName, expiresAtMs: number, kind: RecordKind = 'c'): string =>
  `e\0${`${expiresAtMs}`.padStart(14, '0')}${keyMember(name, kind).slice(1)}`;

/** The member that orders a cache entry by its last access, in minutes since 1970. */
export const accessMember = (name: EntryName, minute: string, tier: 'a' | 's' = 'a'): string =>
  `${tier}\0${minute}${keyMember(name).slice(1)}`;

/** The member that lists a cache entry under a tag. */
export const tagMember = (name: EntryName, tag: string): string => `t\0${tag}${keyMember(name).slice(1)}`;
