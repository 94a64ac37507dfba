/** A service of the bench's own whose tenants have many cache entries, and checkpoints of all of them. */
import type { Redis } from 'ioredis';
import type { App } from '../../lib/app.ts';
import { type Caller, parseApiKey } from '../../lib/gate/caller.ts';
import { CHECKPOINTS } from '../../lib/keys.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { startBucket } from './bucket-env.ts';
import { createTenant } from './create-tenant.ts';
import { startOwnRedis } from './own-redis.ts';
import type { Bench } from './setup.ts';
import { startApp } from './start-app.ts';
import { jsonOfBytes } from './values.ts';

/** Of each value. */
export const VALUE_BYTES = 1_024;
export const NAMESPACE = 'products';
const TENANTS = 4;
/** Written by one call. */
const BATCH = 100;
const WRITERS = 8;
/** More than LZ4 looks back over, so that no record packs because another is the same. */
const VALUES = Array.from({ length: 256 }, (_, seed) => jsonOfBytes(VALUE_BYTES, seed + 1));

export const documentOf = (number: number): Buffer => VALUES[number % VALUES.length] as Buffer;
export const nameOf = (number: number): string => `catalogue/${String(number).padStart(8, '0')}`;
export const entryOf = (number: number) => ({
  value: documentOf(number),
  meta: { content_type: 'application/json' },
  ttlMs: 30 * 86_400_000,
});

export interface StateService {
  readonly app: App;
  /** What nobody else uses. */
  readonly redis: Redis;
  /** Settings of another process of the same service. */
  readonly env: Readonly<Record<string, string>>;
  readonly callers: readonly Caller[];
  /** Entries of all tenants together. */
  readonly records: number;
}

/** Starts Redis, a bucket and the service, and writes the entries. @param records a multiple of 400. */
export async function startState(
  bench: Bench,
  { records, failpoint }: { readonly records: number; readonly failpoint?: FailpointHook },
  parts: AsyncDisposableStack,
): Promise<StateService> {
  const bucket = await startBucket(parts);
  const own = await startOwnRedis({ ...bench.env.tcp, ...bucket }, parts);
  const env = { ...bench.env.tcp, ...bucket, REDIS_URL: own.url };
  const app = failpoint === undefined ? own.app : await startApp(env, { parts, failpoint });
  const callers: Caller[] = [];
  for (let tenant = 0; tenant < TENANTS; tenant++) callers.push(parseApiKey((await createTenant(app)).apiKey));
  await writeEntries(app, callers, records / TENANTS);
  return { app, redis: own.redis, env, callers, records };
}

/** Entries 0 to `count` of each tenant. */
async function writeEntries({ cache }: App, callers: readonly Caller[], count: number): Promise<void> {
  const batches = callers.flatMap((caller) =>
    Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) => ({ caller, from: batch * BATCH })),
  );
  const left = batches.values();
  const write = async () => {
    for (const { caller, from } of left) {
      const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i);
      await cache.setMany(
        caller,
        NAMESPACE,
        numbers.map((number) => ({ key: nameOf(number), ...entryOf(number) })),
      );
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

/** Writes one of so many entries of each tenant again, with another value. @param turn a number that did not come before. */
export async function changeEntries(
  { app, callers, records }: StateService,
  { every, turn }: { readonly every: number; readonly turn: number },
): Promise<void> {
  for (const caller of callers)
    for (let number = turn; number < records / TENANTS; number += every)
      await app.cache.set(caller, { namespace: NAMESPACE, key: nameOf(number) }, entryOf(number + turn + 1));
}

/** Runs a job until it has ended. @returns its result. @throws {Error} it failed. */
export async function endOfJob({ jobs }: App, id: string): Promise<Readonly<Record<string, unknown>>> {
  for (;;) {
    const { status, result, problem } = await jobs.get(id);
    if (status === 'done') return result ?? {};
    if (status === 'failed' || status === 'cancelled') throw new Error(`The job ${status}: ${problem?.detail}`);
    await jobs.run();
  }
}

/** Makes one. @returns what its job says. */
export async function makeCheckpoint(app: App) {
  const { id } = await app.checkpoints.start({ type: 'manual', cache: true, inlineMs: 60_000 });
  return endOfJob(app, id);
}

/** So that the next one writes everything: there is none to build upon. */
export async function forgetCheckpoints({ blobs }: App): Promise<void> {
  const { items } = await blobs.list({ prefix: CHECKPOINTS });
  if (items.length > 0) await blobs.delete(items.map(({ key }) => key));
}
