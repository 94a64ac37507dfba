import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ECHO, writeFixtureService } from '../support/fixture-service.ts';
import { type RunningService, type StartServiceOptions, startService } from '../support/start-service.ts';

const START = new URL('../../infra/local/start.ts', import.meta.url).pathname;

const FUNCTIONS = {
  live: { events: ['GET /health/live'], body: "return { statusCode: 200, body: 'live' };" },
  settings: { events: ['GET /settings'], body: 'return { statusCode: 200, body: JSON.stringify(process.env) };' },
  echo: { events: ['*'], body: ECHO },
};

let serviceFile: string;
let dataDir: string;
const started: RunningService[] = [];

beforeAll(async () => {
  serviceFile = await writeFixtureService(FUNCTIONS);
});
afterAll(() => rm(dirname(serviceFile), { recursive: true }));

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'riptide-start-'));
});
afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start({ args = [], ...options }: StartServiceOptions = {}): Promise<RunningService> {
  const service = await startService({ dataDir, args: ['--service', serviceFile, ...args], ...options });
  started.push(service);
  return service;
}

/** One short conversation with the Redis of a running service. */
async function askRedis<T>(service: RunningService, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(service.settings.RIPTIDE_LOCAL_REDIS_URL ?? '');
  redis.on('error', () => {});
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}

const redisPid = (service: RunningService) =>
  askRedis(service, async (redis) => Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]));

function s3Of({ settings }: RunningService): S3Client {
  const credentials = {
    accessKeyId: settings.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: settings.AWS_SECRET_ACCESS_KEY ?? '',
  };
  const endpoint = settings.PERSISTENCE_BLOBS_ENDPOINT ?? '';
  return new S3Client({ endpoint, credentials, region: settings.AWS_REGION ?? '', forcePathStyle: true });
}

async function isLive(service: RunningService): Promise<string> {
  return (await fetch(`${service.url}/health/live`)).text();
}

const processIsGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

const OBJECT = { Bucket: 'riptide', Key: 'kept' };

describe('npm start [G1 M3 K7]', () => {
  it('is ready within 5 s, says how to use it, and answers', async () => {
    const startedAtMs = performance.now();
    const service = await start();
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
    expect(await isLive(service)).toBe('live');
    expect(service.output()).toContain(service.url);
    expect(service.output()).toContain(service.adminKey);
    expect(service.output()).toContain(`${service.url}/docs`);
    expect(service.output()).toMatch(/development and evaluation stack/);
  });

  it('keeps Redis and S3 data and the admin key over a restart, and loses them with --fresh', async () => {
    const first = await start();
    await askRedis(first, (redis) => redis.set('kept', 'yes'));
    await s3Of(first).send(new PutObjectCommand({ ...OBJECT, Body: 'yes' }));
    expect(await first.stop()).toBe(0);

    const second = await start();
    expect(await askRedis(second, (redis) => redis.get('kept'))).toBe('yes');
    const { Body } = await s3Of(second).send(new GetObjectCommand(OBJECT));
    expect(await Body?.transformToString()).toBe('yes');
    expect(second.adminKey).toBe(first.adminKey);
    await second.stop();

    const fresh = await start({ args: ['--fresh'] });
    expect(await askRedis(fresh, (redis) => redis.get('kept'))).toBeNull();
    await expect(s3Of(fresh).send(new GetObjectCommand(OBJECT))).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('keeps its secrets from other users of the machine', async () => {
    const service = await start();
    for (const name of ['admin-key', 'env.json', 'env']) {
      expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600);
    }
    expect((await readFile(join(dataDir, 'admin-key'), 'utf8')).trim()).toBe(service.adminKey);
    expect(service.adminKey.length).toBeGreaterThanOrEqual(16);
  });

  it('leaves its settings for programs beside it, also with quotes in them', async () => {
    const adminKey = 'sixteen-"letters-and\'#$more';
    const { settings } = await start({ env: { RIPTIDE_ADMIN_KEY: adminKey } });
    expect(settings.RIPTIDE_ADMIN_KEY).toBe(adminKey);
    expect(parseEnv(await readFile(join(dataDir, 'env'), 'utf8'))).toEqual(settings);
  });

  it('takes the admin key it is given, and refuses a short one', async () => {
    const service = await start({ env: { RIPTIDE_ADMIN_KEY: 'sixteen-letters-' } });
    expect(service.adminKey).toBe('sixteen-letters-');
    await service.stop();
    await expect(start({ env: { RIPTIDE_ADMIN_KEY: 'short' } })).rejects.toThrow(/16 characters or more/);
  });

  it('gives the functions Redis over TCP, or with --rest through the Upstash endpoint', async () => {
    const names = ['REDIS_URL', 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN', 'PERSISTENCE_BLOBS_ENDPOINT'];
    const read = async (service: RunningService) => {
      const all = (await (await fetch(`${service.url}/settings`)).json()) as Record<string, string>;
      return names.filter((name) => all[name] !== undefined);
    };
    const foreign = { UPSTASH_REDIS_REST_URL: 'http://other.test', AWS_SESSION_TOKEN: 'other' };
    const tcp = await start({ env: foreign });
    expect(await read(tcp)).toEqual(['REDIS_URL', 'PERSISTENCE_BLOBS_ENDPOINT']);
    await tcp.stop();
    const rest = await start({ args: ['--rest'] });
    expect(await read(rest)).toEqual([
      'UPSTASH_REDIS_REST_URL',
      'UPSTASH_REDIS_REST_TOKEN',
      'PERSISTENCE_BLOBS_ENDPOINT',
    ]);
    const headers = { authorization: `Bearer ${rest.settings.UPSTASH_REDIS_REST_TOKEN}` };
    const reply = await fetch(rest.settings.UPSTASH_REDIS_REST_URL ?? '', {
      method: 'POST',
      headers,
      body: '["PING"]',
    });
    expect(await reply.json()).toEqual({ result: 'PONG' });
  });

  it('uses the Redis of REDIS_URL and leaves it running', async () => {
    const owner = await start();
    const url = owner.settings.RIPTIDE_LOCAL_REDIS_URL ?? '';
    const otherDir = `${dataDir}-other`;
    const guest = await start({ dataDir: otherDir, env: { REDIS_URL: url } });
    expect(guest.settings.REDIS_URL).toBe(url);
    expect(await readdir(otherDir)).not.toContain('redis');
    await guest.stop();
    expect(await askRedis(owner, (redis) => redis.ping())).toBe('PONG');
    await rm(otherDir, { recursive: true });
  });
});

describe('stopping npm start [K7]', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends every process with exit code 0 at %s', async (signal) => {
    const service = await start();
    const pid = await redisPid(service);
    expect(await service.stop(signal)).toBe(0);
    expect(processIsGone(pid)).toBe(true);
    await expect(fetch(service.url)).rejects.toThrow();
    expect(await readdir(dataDir)).not.toContain('env.json');
    expect(await readdir(dataDir)).not.toContain('env');
  });

  it('does not say that it runs when it is stopped while it starts', async () => {
    const child = spawn(process.execPath, [START, '--service', serviceFile], {
      env: { ...process.env, PORT: '0', RIPTIDE_DATA_DIR: dataDir },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    await expect.poll(() => readdir(dataDir), { interval: 5, timeout: 10_000 }).toContain('lock');
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(text).not.toContain('runs at');
    expect(text).toContain('Stopped');
    expect(await readdir(dataDir)).not.toContain('lock');
  });

  it('stops cleanly when one Ctrl-C arrives twice, as npm passes it on', async () => {
    const service = await start();
    process.kill(service.pid, 'SIGINT');
    expect(await service.stop('SIGINT')).toBe(0);
    expect(service.output()).toContain('Stopped');
  });
});

describe('stopping npm itself [K7]', () => {
  it('stops the service too when only npm gets the signal, as from a supervisor', async () => {
    const env = { ...process.env, PORT: '0', RIPTIDE_DATA_DIR: dataDir };
    const npm = spawn('npm', ['start'], { cwd: new URL('../..', import.meta.url), env, stdio: 'ignore' });
    await expect.poll(() => readdir(dataDir), { timeout: 20_000 }).toContain('env.json');
    const { pid } = JSON.parse(await readFile(join(dataDir, 'lock'), 'utf8')) as { pid: number };
    onTestFinished(() => {
      if (!processIsGone(pid)) process.kill(pid);
    });
    npm.kill('SIGTERM');
    await expect.poll(() => processIsGone(pid), { timeout: 15_000 }).toBe(true);
    expect(await readdir(dataDir)).not.toContain('lock');
  });
});

describe('when something goes wrong with npm start [M3 K7]', () => {
  it('refuses a second start on the same data', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(`already runs on ${dataDir} (process ${first.pid})`);
    expect(await isLive(first)).toBe('live');
  });

  it('says that the port is in use, and leaves nothing running', async () => {
    const first = await start();
    const port = new URL(first.url).port;
    const otherDir = `${dataDir}-other`;
    await expect(start({ dataDir: otherDir, env: { PORT: port } })).rejects.toThrow(`Port ${port} is in use`);
    expect((await readdir(otherDir)).sort()).toEqual(['admin-key', 'kms', 'redis', 'riptide-data.json', 's3']);
    expect(await readdir(join(otherDir, 'redis'))).not.toContain('redis.claim.json');
    await rm(otherDir, { recursive: true });
  });

  it('starts again after kill -9, with the Redis left behind stopped and its data kept', async () => {
    const killed = await start();
    const orphan = await redisPid(killed);
    await askRedis(killed, (redis) => redis.set('kept', 'yes'));
    await killed.kill();
    expect(processIsGone(orphan)).toBe(false);

    const next = await start();
    expect(processIsGone(orphan)).toBe(true);
    expect(await askRedis(next, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('starts Redis again when it dies, on the same address and with its data', async () => {
    const service = await start();
    const pid = await redisPid(service);
    await askRedis(service, async (redis) => {
      await redis.set('kept', 'yes');
      // The append-only file is written before the reply; fsync is for the machine's death, not Redis's.
      process.kill(pid, 'SIGKILL');
    });
    await expect.poll(() => service.output(), { timeout: 20_000 }).toContain('Redis is back');
    expect(await redisPid(service)).not.toBe(pid);
    expect(await askRedis(service, (redis) => redis.get('kept'))).toBe('yes');
  });

  it('never touches a folder that is not its own', async () => {
    await writeFile(join(dataDir, 'thesis.txt'), 'mine');
    for (const args of [[], ['--fresh']]) await expect(start({ args })).rejects.toThrow(/not Riptide's/);
    expect(await readdir(dataDir)).toEqual(['thesis.txt']);
  });

  it('says what it can do when asked, and after an option it does not know', () => {
    const asked = runStart(['--help']);
    expect(asked).toMatchObject({ status: 0, stdout: expect.stringContaining('--fresh') });
    const unknown = runStart(['--no-such']);
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toContain('--no-such');
    expect(unknown.stderr).toContain('--fresh');
    expect(unknown.stderr).not.toContain('    at ');
  });

  it('does not start with old data when npm has kept --fresh for itself', () => {
    const { status, stderr } = runStart([], { npm_config_fresh: 'true', RIPTIDE_DATA_DIR: dataDir });
    expect(status).toBe(1);
    expect(stderr).toContain('npm start -- --fresh');
  });

  it.each([
    ['REDIS_URL', 'localhost:6379', /REDIS_URL: expected redis:/],
    ['REDIS_URL', 'http://user:geheim@localhost', /REDIS_URL: expected redis:/],
    ['PORT', '80800', /PORT: a number/],
    ['RIPTIDE_DATA_DIR', '/dev/null/data', /data folder cannot be made.*RIPTIDE_DATA_DIR/],
  ])('tells in one line that %s=%s cannot be used', (name, value, expected) => {
    const { status, stderr } = runStart([], { RIPTIDE_DATA_DIR: dataDir, [name]: value });
    expect(status).toBe(1);
    expect(stderr).toMatch(expected);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('geheim');
  });

  it('says that no Redis answers at REDIS_URL, and serves what needs none', async () => {
    const service = await start({ env: { REDIS_URL: 'redis://user:geheim@127.0.0.1:1' } });
    expect(service.output()).toMatch(/No Redis answers at 127\.0\.0\.1:1 \(REDIS_URL\): .*ECONNREFUSED/);
    expect(service.output()).not.toContain('geheim');
    expect(await isLive(service)).toBe('live');
  });
});

/** Only for what ends by itself. */
function runStart(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { REDIS_URL: _, ...clean } = process.env;
  return spawnSync(process.execPath, [START, ...args], {
    encoding: 'utf8',
    env: { ...clean, ...env },
    timeout: 20_000,
  });
}
