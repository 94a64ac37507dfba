/** A tenant whose data another generation has taken the place of, by hand: the first one holds records of every kind. */
import { randomBytes } from 'node:crypto';
import type { App } from '../../lib/app.ts';
import { createOldGenerations, RETIRED_FOR_MS } from '../../lib/cleaning/old-generations.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { TenantId } from '../../lib/ids.ts';
import { doomedBlob } from '../../lib/keys.ts';
import { newTenant } from './app.ts';
import { blobsOf } from './cache-blobs.ts';
import { gateState } from './gate-state.ts';
import { redisTimeMs } from './redis-time.ts';
import { sessionObjects, spillToolsOn, texts } from './spill-tools.ts';
import { keysOf } from './tenant-state.ts';

const READ = { kind: 'read' } as const;
const WRITE = { kind: 'write' } as const;
const meta = { content_type: 'application/x-test', tags: ['t', 'other'] };
const named = (key: string) => ({ namespace: 'ns', key });

export const oldGenerationsOn = (app: App) => createOldGenerations({ redis: app.redis, keys: keysOf(app) });

/** What the first generation has: 3 entries, of which 2 have their values in S3, one more object that waits, 4 sessions, 2 of them in S3. */
export const RECORDS = 7;

/** In its first generation, with {@link RECORDS}; and the state of a limit. */
export async function fullTenant(app: App): Promise<Caller> {
  const { caller } = await newTenant(app);
  const id = caller.tenantId;
  await app.cache.set(caller, named('small'), { value: Buffer.from('v'), meta, ttlMs: 3_600_000 });
  for (const key of ['large', 'larger', 'large'])
    await app.cache.set(caller, named(key), { value: randomBytes(300_000), meta, ttlMs: null });
  for (let i = 0; i < 4; i++) await app.sessions.create(caller, { userId: 'ada', data: texts({ i }) });
  const { coldest, spiller } = spillToolsOn(app);
  const place = { id, generation: 1 };
  await spiller.spill(place, await coldest.find(place, 2));
  await app.rateLimiter.check(caller, { name: 'logins', identifier: 'user-1', limit: 5, windowMs: 3_600_000 });
  return caller;
}

/** Another generation serves from here on; the one before was retired `agoMs` ago. @returns when that was, Unix ms. */
export async function flip(
  app: App,
  id: TenantId,
  from: number,
  to: number,
  agoMs = RETIRED_FOR_MS + 60_000,
): Promise<number> {
  const generations = keysOf(app).generations(id);
  const atMs = (await redisTimeMs(app)) - agoMs;
  await gateState(app, id).setLimits({ contextVersion: to, generation: to });
  await app.redis.sendAll(
    [
      ['ZADD', generations, atMs, from],
      ['ZREM', generations, to],
    ],
    WRITE,
  );
  return atMs;
}

/** Generations besides the current one. */
export const listedGenerations = (app: App, id: TenantId) =>
  app.redis.send(['ZRANGE', keysOf(app).generations(id), 0, -1], READ) as Promise<readonly string[]>;

/** Keys of the generation: only a test may look through all keys. Claims and leases go by themselves. */
export async function keysOfGeneration(app: App, id: TenantId, generation: number): Promise<readonly string[]> {
  const first = keysOf(app).index(id, generation).slice(0, -'idx'.length);
  const found = new Set<string>();
  let cursor = '0';
  do {
    const reply = await app.redis.send(['SCAN', cursor, 'MATCH', `${first}*`, 'COUNT', 5_000], READ);
    const [next, keys] = reply as readonly [string, readonly string[]];
    for (const key of keys) if (!/^(?:claim|lease):/.test(key.slice(first.length))) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found].toSorted();
}

/** Members of a generation's index that begin so. */
export const membersOf = (app: App, id: TenantId, generation: number, letter: 'd' | 'o' | 'k') =>
  app.redis.send(
    ['ZRANGE', keysOf(app).index(id, generation), `[${letter}\0`, `(${letter}\x01`, 'BYLEX'],
    READ,
  ) as Promise<readonly string[]>;

/** What a generation's index has deleted: object in S3 -> when, Unix ms. */
export async function doomedIn(app: App, id: TenantId, generation: number): Promise<ReadonlyMap<string, number>> {
  const members = await membersOf(app, id, generation, 'd');
  return new Map(members.map((member) => [doomedBlob(id, member) as string, Number(member.slice(2, 16))]));
}

/** Names of the tenant's objects in S3, of entries and of sessions. */
export async function objectsOf(app: App, id: TenantId): Promise<readonly string[]> {
  return [...(await blobsOf(app, id)).map(({ key }) => key), ...(await sessionObjects(app, id))].toSorted();
}

/** As members `o` and `d` name an object. */
export function objectName(blob: string): string {
  const [object, session] = blob.split('/').slice(blob.startsWith('cache/') ? 2 : 3);
  return session === undefined ? `${object}` : `${object}.${session.slice('session-'.length, -'.session'.length)}`;
}

/** Says in a generation's index that it took objects over. */
export const takeOver = (app: App, id: TenantId, generation: number, blobs: readonly string[]) =>
  app.redis.send(
    ['ZADD', keysOf(app).index(id, generation), ...blobs.flatMap((blob) => [0, `o\0${objectName(blob)}`])],
    WRITE,
  );
