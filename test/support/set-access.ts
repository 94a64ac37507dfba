/** An entry that was asked for last at another time: Redis' clock cannot be set, so its head and index are written by hand. */
import { createHash } from 'node:crypto';
import type { App } from '../../lib/app.ts';
import { parseHead } from '../../lib/cache/entry-format.ts';
import type { TenantId } from '../../lib/ids.ts';
import type { EntryName } from '../../lib/keys.ts';
import { accessMember } from './index-member.ts';
import { redisTimeMs } from './redis-time.ts';
import { keysOf } from './tenant-state.ts';

/** Of a tenant in its first generation. @param minutes from now. @returns the minute, 8 digits. */
export async function setAccess(app: App, id: TenantId, name: EntryName, minutes: number): Promise<string> {
  const keys = keysOf(app);
  const key = keys.cacheEntry(id, 1, name);
  const stored = (await app.redis.send(['GET', key], { kind: 'read' })) as string;
  const minute = String(Math.floor((await redisTimeMs(app)) / 60_000) + minutes);
  const { head, payloadAt } = parseHead(stored);
  const checked = `,${minute}${stored.slice(20, payloadAt)}`;
  const check = createHash('sha1').update(checked).digest('hex').slice(0, 8);
  const tier = head.blob === null ? 'a' : 's';
  await app.redis.sendAll(
    [
      ['SETRANGE', key, 3, `${check},${minute}`],
      ['ZREM', keys.index(id, 1), accessMember(name, stored.slice(12, 20), tier)],
      ['ZADD', keys.index(id, 1), 0, accessMember(name, minute, tier)],
    ],
    { kind: 'write' },
  );
  return minute;
}
