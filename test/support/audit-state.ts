/** What Redis and S3 hold of an audit log, and logs of any length put there by hand. */
import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { App } from '../../lib/app.ts';
import { GENESIS, packHead } from '../../lib/audit/chain.ts';
import type { VerifyOptions } from '../../lib/audit/verify-chain.ts';
import { verify } from '../../lib/audit/verify-chain.ts';
import { auditLog } from './audit-entries.ts';
import { servers } from './servers.ts';
import { keysOf } from './tenant-state.ts';

type Stores = Pick<App, 'config' | 'redis' | 'blobs'>;
const READ = { kind: 'read' } as const;
const WRITE = { kind: 'write' } as const;

/** A log of its own: nobody else's entries, and an archive that nobody else writes. */
export async function ownLogSettings(): Promise<Record<string, string>> {
  const { url, region, ...credentials } = servers().s3;
  const bucket = `audit-${randomUUID()}`;
  // Where the app's own client looks for them.
  process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;
  const client = new S3Client({ endpoint: url, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy());
  return { PERSISTENCE_CACHE_KEY_PREFIX: `audit-${randomUUID().slice(0, 8)}`, PERSISTENCE_BLOBS_BUCKET: bucket };
}

/** Lines in Redis, by seq. */
export const linesInRedis = async (app: Stores): Promise<readonly string[]> =>
  (await app.redis.send(['ZRANGE', keysOf(app).auditLog(), 0, -1], READ)) as readonly string[];

/** Blocks in S3 and their lines, in order. */
export async function linesInArchive(app: Stores) {
  const { items } = await app.blobs.list({ prefix: 'audit/' });
  const blocks = await Promise.all(items.map(({ key }) => app.blobs.get(key)));
  const lines = blocks.flatMap((block) => block?.body.toString('utf8').trimEnd().split('\n') ?? []);
  return { keys: items.map(({ key }) => key), lines };
}

export const pendingIn = async (app: Stores): Promise<readonly string[]> =>
  (await app.redis.send(['LRANGE', keysOf(app).auditPending(), 0, -1], READ)) as readonly string[];

export const headIn = async (app: Stores): Promise<unknown> => app.redis.send(['GET', keysOf(app).auditHead()], READ);

/** The whole log, archive and Redis, without what both hold while a block is moved. */
export async function wholeLog(app: Stores): Promise<readonly string[]> {
  return [...new Set([...(await linesInArchive(app)).lines, ...(await linesInRedis(app))])];
}

/** The verdict on the whole log, beside the head Redis keeps. */
export async function verifyWhole(app: Stores, options?: VerifyOptions) {
  const verdict = verify(await wholeLog(app), options);
  return { ...verdict, headText: packHead(verdict.head), headInRedis: await headIn(app) };
}

/** Puts `count` sealed entries behind those of `after`, as sealers would have. @returns the new head. */
export async function fillLog(app: Stores, count: number, after = GENESIS) {
  const { lines, head } = auditLog(count, after);
  const keys = keysOf(app);
  const adds = [];
  for (let i = 0; i < count; i += 500) {
    const members = lines.slice(i, i + 500).flatMap((line, n) => [after.seq + i + n + 1, line]);
    adds.push(['ZADD', keys.auditLog(), ...members] as const);
  }
  for (const reply of await app.redis.sendAll([...adds, ['SET', keys.auditHead(), packHead(head)]], WRITE))
    if (reply instanceof Error) throw reply;
  return head;
}

/** As after a loss of Redis. */
export async function loseLog(app: Stores): Promise<void> {
  const keys = keysOf(app);
  await app.redis.send(['DEL', keys.auditLog(), keys.auditHead(), keys.auditPending(), keys.auditSeen()], WRITE);
}
