/** All that a deployment has in Redis and S3, to see that something changed nothing; without its jobs and whose turn it is. */
import { createHash } from 'node:crypto';
import type { App } from '../../lib/app.ts';
import { keysOf } from './tenant-state.ts';

const READ = { kind: 'read' } as const;
const NOT_LOOKED_AT = /\{sys\}:(?:jobs|checkpoints:(?:job|turn|running))|:jobs:/;

const COMMANDS: Readonly<Record<string, (key: string) => readonly (string | number)[]>> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, 0, -1, 'WITHSCORES'],
  list: (key) => ['LRANGE', key, 0, -1],
  set: (key) => ['SMEMBERS', key],
};

/** Only of an app whose prefix and bucket nobody else uses. */
export async function dumpOf(app: App): Promise<Readonly<Record<string, string>>> {
  const dump: Record<string, string> = {};
  const first = keysOf(app).tenants().slice(0, -'{sys}:tenants'.length);
  for (let cursor = '0'; ; ) {
    const found = await app.redis.send(['SCAN', cursor, 'MATCH', `${first}*`, 'COUNT', 5_000], READ);
    const [next, keys] = found as [string, string[]];
    for (const key of keys) {
      if (NOT_LOOKED_AT.test(key)) continue;
      const type = String(await app.redis.send(['TYPE', key], READ));
      const text = JSON.stringify(await app.redis.send((COMMANDS[type] ?? COMMANDS.string)?.(key) as never, READ));
      dump[key] = createHash('sha256').update(text).digest('hex');
    }
    cursor = next;
    if (cursor === '0') break;
  }
  for (let cursor: string | undefined; ; ) {
    const page = await app.blobs.list({ prefix: '', cursor });
    for (const { key, etag } of page.items) dump[`s3 ${key}`] = etag;
    if (page.nextCursor === null) return dump;
    cursor = page.nextCursor;
  }
}
