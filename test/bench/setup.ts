/** What every suite of the bench stands on: one Redis, one Upstash endpoint, an app over each transport, one tenant. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedis } from '../../infra/local/redis/start-redis.ts';
import type { App } from '../../lib/app.ts';
import { type Caller, parseApiKey } from '../../lib/gate/caller.ts';
import type { EntryName } from '../../lib/keys.ts';
import { startProcess } from './child-process.ts';
import { createTenant } from './create-tenant.ts';
import { createRawClients, type RawClients } from './raw-clients.ts';
import { startApp } from './start-app.ts';
import { jsonOfBytes } from './values.ts';

const REST_TOKEN = 'bench-rest-token';

export interface Bench {
  readonly redisUrl: string;
  /** The environment of a process of the service, for each transport. */
  readonly env: { readonly tcp: Readonly<Record<string, string>>; readonly rest: Readonly<Record<string, string>> };
  readonly app: { readonly tcp: App; readonly rest: App };
  readonly raw: RawClients;
  readonly caller: Caller;
  readonly apiKey: string;
  /** A cache entry of exactly 1,024 bytes of JSON; the same bytes are under `rawKey` for raw reads. */
  readonly entry: EntryName;
  readonly rawKey: string;
  /** As much data as the promises name; else what fits in the time of a build. */
  readonly isFull: boolean;
  /** Stops and removes all of it. */
  stop(): Promise<void>;
}

/** Starts everything on free ports and in a temporary folder. @throws {Error} a part does not start. */
export async function startBench(options: Pick<Bench, 'isFull'>): Promise<Bench> {
  const parts = new AsyncDisposableStack();
  try {
    return { ...(await startParts(parts)), ...options };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function startParts(parts: AsyncDisposableStack): Promise<Omit<Bench, 'isFull'>> {
  const { redisUrl, rest } = await startServers(parts);
  const env = {
    tcp: serviceEnv({ REDIS_URL: redisUrl }),
    rest: serviceEnv(rest),
  };
  const app = { tcp: await startApp(env.tcp, { parts }), rest: await startApp(env.rest, { parts }) };
  const raw = createRawClients({ tcp: app.tcp.config.redis, rest: app.rest.config.redis });
  parts.defer(() => raw.close());
  const { apiKey } = await createTenant(app.tcp);
  const caller = parseApiKey(apiKey);
  const entry = { namespace: 'products', key: 'catalogue/1024' };
  const rawKey = 'bench:raw:1024';
  const value = jsonOfBytes(1024);
  await app.tcp.cache.set(caller, entry, { value, meta: { content_type: 'application/json' }, ttlMs: 86_400_000 });
  await raw.tcp.set(rawKey, value);
  return { redisUrl, env, app, raw, caller, apiKey, entry, rawKey, stop: () => parts.disposeAsync() };
}

async function startServers(parts: AsyncDisposableStack) {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-bench-'));
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  const redis = await startRedis({ dir, appendonly: false });
  parts.defer(() => redis.stop());
  return { redisUrl: redis.url, rest: await startRestEndpoint(redis.url, parts) };
}

/** The Upstash endpoint of a Redis. @returns the environment that reaches it; with `parts` it is gone. */
export async function startRestEndpoint(redisUrl: string, parts: AsyncDisposableStack) {
  const file = fileURLToPath(new URL('./processes/upstash-endpoint.ts', import.meta.url));
  const endpoint = await startProcess({ file, args: [redisUrl, REST_TOKEN] });
  parts.defer(() => endpoint.stop());
  return { UPSTASH_REDIS_REST_URL: endpoint.said as string, UPSTASH_REDIS_REST_TOKEN: REST_TOKEN };
}

const serviceEnv = (transport: Readonly<Record<string, string>>): Record<string, string> => ({
  ...transport,
  // What is read is read from Redis, unless a suite says otherwise.
  PERSISTENCE_CACHE_LOCAL_MAX_BYTES: '0',
  PERSISTENCE_BLOBS_BUCKET: 'riptide-bench',
  PERSISTENCE_BLOBS_REGION: 'us-east-1',
  PERSISTENCE_ADMIN_KEY_SHA256: '0'.repeat(64),
});
