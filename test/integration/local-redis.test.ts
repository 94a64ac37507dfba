/** The local Redis: found or unpacked, started, kept over a restart, and gone when stopped. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askRedis, redisPidAt } from '../../infra/local/redis/ask-redis.ts';
import { findRedisServer } from '../../infra/local/redis/find-redis.ts';
import { startCluster } from '../../infra/local/redis/start-cluster.ts';
import { ownRedis, temporaryDir } from '../support/redis-own.ts';

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('finding Redis [G1]', () => {
  it('unpacks one where none is installed, also twice at the same time, and finds it again', async () => {
    const cacheDir = await temporaryDir();
    let unpacked = 0;
    const find = () => findRedisServer({ cacheDir, searchPath: '/nowhere', onUnpack: () => unpacked++ });
    const [first, second] = await Promise.all([find(), find()]);
    expect(unpacked).toBe(2);
    expect(second).toEqual(first);
    expect(first).toMatchObject({ source: 'cache', path: expect.stringContaining(cacheDir) });
    expect(await readdir(join(cacheDir, 'redis'))).toEqual([`${process.platform}-${process.arch}`]);
    const redis = await ownRedis({ server: first });
    vi.stubEnv('PATH', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    unpacked = 0;
    expect(await find()).toEqual(first);
    expect(unpacked).toBe(0);
    expect(await askRedis(redis, (client) => client.ping())).toBe('PONG');
  });

  it('passes over a program on PATH that does not run or is too old, and takes the next one', async () => {
    const server = await findRedisServer({ searchPath: '' });
    const dir = await temporaryDir();
    const [broken, old, good] = [join(dir, 'broken'), join(dir, 'old'), join(dir, 'good')];
    for (const folder of [broken, old, good]) await mkdir(folder);
    await symlink('/nowhere/redis-server', join(broken, 'redis-server'));
    await writeFile(join(old, 'redis-server'), '#!/bin/sh\necho Redis server v=6.2.14 bits=64', { mode: 0o755 });
    const wrapper = `#!/bin/sh\nLD_LIBRARY_PATH='${server.libraryPath ?? ''}' exec '${server.path}' "$@"`;
    await writeFile(join(good, 'valkey-server'), wrapper, { mode: 0o755 });
    const found = await findRedisServer({ searchPath: [broken, old, good].join(':'), cacheDir: join(dir, 'cache') });
    expect(found).toEqual({ path: join(good, 'valkey-server'), source: 'path' });
  });

  it('says what to install when it can neither find nor unpack one', async () => {
    const cacheDir = await temporaryDir();
    vi.stubEnv('PATH', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(findRedisServer({ cacheDir })).rejects.toMatchObject({
      code: 'local_service_failed',
      message: expect.stringMatching(/apt-get.*apt-get install redis-server.*REDIS_URL/s),
    });
  });
});

describe('a started Redis [G1]', () => {
  it('keeps its data over a restart when it appends to a file', async () => {
    const dir = await temporaryDir();
    const first = await ownRedis({ dir, appendonly: true });
    await askRedis(first, (client) => client.set('k', 'v'));
    await first.stop();
    const second = await ownRedis({ dir, appendonly: true });
    expect(await askRedis(second, (client) => client.get('k'))).toBe('v');
  });

  it('is gone when stopped, and may be stopped again', async () => {
    const redis = await ownRedis();
    expect(await redisPidAt(redis)).toBe(redis.pid);
    await redis.stop();
    expect(isAlive(redis.pid)).toBe(false);
    await redis.stop();
  });

  it('listens on the loopback only, in a process group that Ctrl-C does not reach', async () => {
    const redis = await ownRedis();
    expect(await askRedis(redis, (client) => client.config('GET', 'bind'))).toEqual(['bind', '127.0.0.1']);
    const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(redis.pid)], { encoding: 'utf8' });
    expect(Number(group)).toBe(redis.pid);
  });

  it('shows the last log lines when it cannot start', async () => {
    const { port } = await ownRedis();
    await expect(ownRedis({ port })).rejects.toThrow(/did not start on port \d+:\n.*Address already in use/s);
    await expect(ownRedis({ extraArgs: ['--no-such-setting', '1'] })).rejects.toThrow(/no-such-setting/);
  });

  it('does not share its folder with a second one', async () => {
    const dir = await temporaryDir();
    const redis = await ownRedis({ dir });
    await expect(ownRedis({ dir })).rejects.toThrow(`${dir} is in use by process ${process.pid}`);
    expect(await askRedis(redis, (client) => client.ping())).toBe('PONG');
  });

  it('takes over the folder of a killed owner, with all of its data', async () => {
    const dir = await temporaryDir();
    const orphan = await orphanedRedis(dir);
    await askRedis(orphan, (client) => client.set('k', 'v'));
    const redis = await ownRedis({ dir, appendonly: true });
    expect(isAlive(orphan.pid)).toBe(false);
    expect(await askRedis(redis, (client) => client.get('k'))).toBe('v');
  });
});

/** A Redis whose owner was killed before it could stop it. */
async function orphanedRedis(dir: string): Promise<{ host: string; port: number; pid: number }> {
  const module = new URL('../../infra/local/redis/start-redis.ts', import.meta.url).href;
  const program = `import { startRedis } from '${module}';
    console.log(JSON.stringify(await startRedis({ dir: ${JSON.stringify(dir)}, appendonly: true })));
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => owner.stdout.once('data', (text) => resolve(String(text))));
  const gone = new Promise((resolve) => owner.once('exit', resolve));
  owner.kill('SIGKILL');
  await gone;
  return JSON.parse(line);
}

describe('a started cluster [G1]', () => {
  it('shares the slots among three masters, and ends as a whole', async () => {
    const cluster = await startCluster({ dir: await temporaryDir() });
    onTestFinished(() => cluster.stop());
    const client = new Cluster([...cluster.nodes]);
    onTestFinished(() => client.disconnect());
    const keys = Array.from({ length: 100 }, (_, i) => `key-${i}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    const sizes = await Promise.all(cluster.nodes.map((node) => askRedis(node, (redis) => redis.dbsize())));
    expect(sizes.filter((size) => size > 0)).toHaveLength(3);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(100);
    client.disconnect();
    await cluster.stop();
    await Promise.all(cluster.nodes.map((node) => expect(redisPidAt(node)).rejects.toThrow()));
  });
});
