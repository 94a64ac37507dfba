/** Members of a tenant's index, as includes/record.lua makes them from an entry's key. */
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { createKeys, type EntryName } from '../../lib/keys.ts';

const keys = createKeys('');
const anyone = newTenantId(newUlid(0));

/** The member that lists the entry. */
export function keyMember(name: EntryName): string {
  const [, namespace, key] = /}:g1:c:([^:]*):(.*)$/s.exec(keys.cacheEntry(anyone, 1, name)) ?? [];
  return `k\0c\0${namespace}\0${key}`;
}

/** The member that orders the entry by its expiry. */
export const expiryMember = (name: EntryName, expiresAtMs: number): string =>
  `e\0${`${expiresAtMs}`.padStart(14, '0')}${keyMember(name).slice(1)}`;
