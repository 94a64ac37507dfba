import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFunctions } from '../../infra/build/build-functions.ts';
import { deployedFunctions } from '../../infra/build/deployed-functions.ts';
import { type FunctionEntry, readFunctionList } from '../../infra/build/function-list.ts';
import { stripLua } from '../../infra/build/strip-lua.ts';
import { readLua } from '../../infra/lua-source.ts';
import { invokeBundle } from '../support/runtime-api.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { startService } from '../support/start-service.ts';

interface Reply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded?: boolean;
}

const root = join(import.meta.dirname, '../..');
const entries = readFunctionList(root);
const functions = deployedFunctions(entries);
const outDir = mkdtempSync(join(tmpdir(), 'riptide-bundles-'));
const nameOf = ({ source }: FunctionEntry) => source.replace(/^functions\/(.+)\.ts$/, '$1');
const isHttp = ({ events }: FunctionEntry) => events[0]?.httpApi !== undefined;

const ADMIN_KEY = 'admin-key-of-the-bundle-tests';
const TENANT = 'tenant-01jd5x8k3v9q2m7n4p6r8s0t1w';
const VALUES = {
  RIPTIDE_ADMIN_KEY: ADMIN_KEY,
  RIPTIDE_TENANT: TENANT,
  RIPTIDE_KEY: `rt_${TENANT}_key-01jd5x9a2b3c4d5e6f7g8h9j0k_${'Az09'.repeat(11).slice(0, 43)}`,
};
/** Addresses nobody listens at, and little patience. */
const NOTHING_IN_REACH = {
  REDIS_URL: 'redis://127.0.0.1:1',
  PERSISTENCE_REDIS_CONNECTION_TIMEOUT_MS: '500',
  PERSISTENCE_REDIS_COMMAND_TIMEOUT_MS: '500',
  PERSISTENCE_REDIS_RETRY_ATTEMPTS: '0',
  PERSISTENCE_BLOBS_ENDPOINT: 'http://127.0.0.1:1',
  PERSISTENCE_ADMIN_KEY_SHA256: createHash('sha256').update(ADMIN_KEY).digest('hex'),
  AWS_ACCESS_KEY_ID: 'nobody',
  AWS_SECRET_ACCESS_KEY: 'nothing',
};

/** Of the function that serves the endpoint, alone or with others. */
const key = (name: string) =>
  functions.find(({ endpoints }) => endpoints.some((entry) => nameOf(entry) === name))?.key ?? name;

async function call(
  name: string,
  env: Record<string, string>,
  values: Record<string, string> = VALUES,
): Promise<Reply> {
  const { reply, error, log } = await invokeBundle({
    dir: join(outDir, key(name)),
    event: sampleEvent(name, values),
    env,
  });
  if (error !== undefined) throw new Error(`${name}: ${error}\n${log}`);
  return reply as Reply;
}

const textOf = ({ body, isBase64Encoded }: Reply) => Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString();

beforeAll(async () => {
  await buildFunctions({ root, outDir, functions, architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64' });
}, 120_000);

afterAll(() => rmSync(outDir, { recursive: true, force: true }));

describe('a built endpoint in a fresh process, with neither Redis nor S3 in reach [M3 A14]', () => {
  it.each(entries.filter(isHttp).map(nameOf))(
    '%s answers its event: a reply, or a problem that says why',
    async (name) => {
      const reply = await call(name, NOTHING_IN_REACH);
      expect(reply.statusCode).toBeOneOf([200, 401, 404, 503]);
      if (reply.statusCode < 400 || name === 'cache/head-entry') return;
      if (name === 'health/check-ready') return;
      expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(JSON.parse(textOf(reply))).toMatchObject({
        status: reply.statusCode,
        code: expect.stringMatching(/^[a-z_]+$/),
      });
    },
  );

  it.each(entries.filter((entry) => !isHttp(entry)).map(nameOf))(
    '%s fails as a schedule must, to be run again',
    async (name) => {
      const { error } = await invokeBundle({
        dir: join(outDir, key(name)),
        event: sampleEvent(name),
        env: NOTHING_IN_REACH,
      });
      expect(error).toBeDefined();
    },
  );

  it('is alive all the same', async () => {
    expect((await call('health/check-live', NOTHING_IN_REACH)).statusCode).toBe(200);
  });

  it('names what is missing when asked whether it is ready', async () => {
    const reply = await call('health/check-ready', NOTHING_IN_REACH);
    expect(reply.statusCode).toBe(503);
    expect(textOf(reply)).toContain('redis');
  });

  it('has a 404 problem for a path nobody serves', async () => {
    const reply = await call('http/answer-unknown-route', NOTHING_IN_REACH);
    expect(reply.statusCode).toBe(404);
    expect(JSON.parse(textOf(reply))).toMatchObject({ code: 'route_not_found', status: 404 });
  });

  it('says 503 and when to come back, where Redis is needed', async () => {
    const reply = await call('cache/get-entry', NOTHING_IN_REACH);
    expect(JSON.parse(textOf(reply))).toMatchObject({ code: 'store_unavailable', status: 503 });
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('the built functions on a running stack [C1 T1 T2 A1 A3]', () => {
  let service: Awaited<ReturnType<typeof startService>>;
  let settings: Record<string, string>;

  beforeAll(async () => {
    service = await startService({});
    settings = JSON.parse(readFileSync(join(service.dataDir, 'env.json'), 'utf8'));
  });
  afterAll(() => service.stop());

  it('make a tenant and its key, then store, read, describe and remove an entry, each in a process of its own', async () => {
    const admin = { RIPTIDE_ADMIN_KEY: service.adminKey };
    const created = JSON.parse(textOf(await call('admin/create-tenant', settings, admin)));
    const tenant = { ...admin, RIPTIDE_TENANT: created.id };
    expect(JSON.parse(textOf(await call('admin/get-tenant', settings, tenant)))).toMatchObject({
      id: created.id,
      name: 'Acme',
    });
    const { key } = JSON.parse(textOf(await call('admin/create-key', settings, tenant)));
    const caller = { ...tenant, RIPTIDE_KEY: key };

    expect(JSON.parse(textOf(await call('account/who-am-i', settings, caller)))).toMatchObject({
      tenant_id: created.id,
    });
    expect((await call('cache/put-entry', settings, caller)).statusCode).toBe(201);
    const read = await call('cache/get-entry', settings, caller);
    expect(textOf(read)).toBe('{"id": 42, "name": "Lamp", "price": "19.90"}');
    expect(read.headers).toMatchObject({ 'content-type': 'application/json', 'riptide-tags': 'catalog, products' });
    expect(await call('cache/head-entry', settings, caller)).toMatchObject({ statusCode: 200, body: '' });
    expect((await call('cache/delete-entry', settings, caller)).statusCode).toBe(204);
    expect((await call('cache/get-entry', settings, caller)).statusCode).toBe(404);
  });

  it('hold scripts Redis can compile, though the bundle leaves their comments out', async () => {
    const redis = new Redis(settings.RIPTIDE_LOCAL_REDIS_URL ?? '');
    try {
      const scripts = globSync('lib/redis/scripts/*.lua', { cwd: root }).map((file) => readLua(join(root, file)));
      const loaded = await Promise.all(scripts.map((script) => redis.script('LOAD', stripLua(script))));
      expect(new Set(loaded).size).toBe(scripts.length);
    } finally {
      redis.disconnect();
    }
  });

  it('run by the clock', async () => {
    const entry = entries.find((candidate) => !isHttp(candidate));
    const { error } = await invokeBundle({
      dir: join(outDir, entry?.key ?? ''),
      event: sampleEvent(nameOf(entry as FunctionEntry)),
      env: settings,
    });
    expect(error).toBeUndefined();
  });

  it('answer "serverless invoke local" with the events of the repository as they are', () => {
    const put = invokeLocal('cachePutEntry', 'cache/put-entry', service.dataDir);
    expect(put.statusCode).toBe(201);
    const get = invokeLocal('cacheGetEntry', 'cache/get-entry', service.dataDir);
    expect(get.statusCode).toBe(200);
    expect(textOf(get)).toContain('Lamp');
    const shared = invokeLocal('accountReader', 'account/who-am-i', service.dataDir);
    expect(JSON.parse(textOf(shared))).toMatchObject({ scopes: ['cache:read', 'cache:write'] });
  });
});

describe('"serverless invoke local" without a stack [A14]', () => {
  it('says how to start one', () => {
    expect(() => invokeLocal('cacheGetEntry', 'cache/get-entry', outDir)).toThrow('Start one with "npm start"');
  });
});

/** In a shell whose own settings point elsewhere. */
function invokeLocal(name: string, event: string, dataDir: string): Reply {
  const cli = join(root, 'node_modules/serverless/bin/serverless.js');
  const args = [cli, 'invoke', 'local', '-f', name, '-p', `events/${event}.json`];
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    RIPTIDE_DATA_DIR: dataDir,
    UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1',
    AWS_PROFILE: 'nobody',
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (status !== 0) throw new Error(`serverless invoke local ended with ${status}\n${stdout}${stderr}`);
  // The function's log comes before its reply.
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n{\n') + 1));
}
