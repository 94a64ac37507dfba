import type { Redis } from 'ioredis';
import type { Caller } from '../../lib/gate/caller.ts';
import type { EntryName } from '../../lib/keys.ts';

/**
 * The Redis key of an entry, found and not built, so that it is right whatever keys look like.
 * @throws {Error} there is no such key, or more than one.
 */
export async function storedKeyOf(redis: Redis, { tenantId }: Caller, { namespace, key }: EntryName): Promise<string> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `*{t:${tenantId}}:*:c:${namespace}:${key}`, 'COUNT', 1000);
    found.push(...keys);
    cursor = next;
  } while (cursor !== '0');
  const [only, ...others] = new Set(found);
  if (only === undefined || others.length > 0) throw new Error('The entry has not exactly one key');
  return only;
}
