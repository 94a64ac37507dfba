/** What somebody who can read Redis sees of a tenant: everything its slot holds, as text. */
import { Redis } from 'ioredis';

const PAGE = 1_000;

/** Looks for `text` in every value and every field of the tenant. @returns where it was found, and how many keys there are. */
export async function lookInRedis(url: string, tenantId: string, text: string) {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const keys = await keysOf(redis, tenantId);
    const found: string[] = [];
    for (const key of keys) if ((await everythingIn(redis, key)).includes(text)) found.push(key);
    return { keys: keys.length, found };
  } finally {
    redis.disconnect();
  }
}

/** A tool beside the service may look through all of Redis; the service itself never does. */
async function keysOf(redis: Redis, tenantId: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', `*{t:${tenantId}}*`, 'COUNT', PAGE);
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

async function everythingIn(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'zset') return (await redis.zrange(key, '0', '-1')).join('\n');
  if (type === 'list') return (await redis.lrange(key, 0, -1)).join('\n');
  if (type === 'set') return (await redis.smembers(key)).join('\n');
  return (await redis.get(key)) ?? '';
}
