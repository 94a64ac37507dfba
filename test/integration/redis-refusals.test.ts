/** What the Redis drivers make of a Redis that answers, but will not serve: full, not a master, busy, locked. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../infra/local/redis/poll-until.ts';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import { type RunningUpstashEndpoint, startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import { RedisUnavailableError, StorageFullError } from '../../lib/errors.ts';
import type { RedisCommand, RedisDriver } from '../../lib/redis/driver.ts';
import { replyError } from '../../lib/redis/reply-error.ts';
import { createRestDriver } from '../../lib/redis/rest-driver.ts';
import { createTcpDriver } from '../../lib/redis/tcp-driver.ts';
import { driverSettings, READ, WRITE } from '../support/driver-settings.ts';

const TOKEN = 'refusals-token';
const settings = driverSettings({ connectionTimeoutMs: 1_000, commandTimeoutMs: 1_000, retryDelayMs: 30 });

let dir: string;
let redis: RunningRedis;
let endpoint: RunningUpstashEndpoint;
/** The operator's own connection; it stays logged in. */
let operator: RedisDriver;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redis-refusals-'));
  redis = await startRedis({ dir, appendonly: false, extraArgs: ['--busy-reply-threshold', '50'] });
  endpoint = await startUpstashEndpoint({ redisUrl: redis.url, token: TOKEN });
  operator = createTcpDriver({ ...settings, url: redis.url });
});
afterAll(async () => {
  await operator.close();
  await endpoint.stop();
  await redis.stop();
  await rm(dir, { recursive: true, force: true });
});

const operate = (...command: RedisCommand) => operator.send(command, WRITE);
const newKey = () => `refusals:${randomBytes(6).toString('hex')}`;

/** The error of a call, with no argument of it inside. */
async function refusal(call: Promise<unknown>): Promise<RedisUnavailableError | StorageFullError> {
  const error: unknown = await call.then(String, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain('secret-value');
  return error as RedisUnavailableError;
}

const open = {
  rest: () => createRestDriver({ ...settings, restUrl: endpoint.url, restToken: TOKEN }),
  tcp: () => createTcpDriver({ ...settings, url: redis.url }),
};

describe.each(['rest', 'tcp'] as const)('%s driver, when Redis refuses [G1]', (transport) => {
  let driver: RedisDriver;
  beforeAll(() => {
    driver = open[transport]();
  });
  afterAll(() => driver.close());

  it('says that the store is full when Redis is out of memory, and still reads', async () => {
    const key = newKey();
    await driver.send(['SET', key, 'kept'], WRITE);
    await operate('CONFIG', 'SET', 'maxmemory', '1');
    try {
      const set = await refusal(driver.send(['SET', newKey(), 'secret-value'], WRITE));
      expect(set).toBeInstanceOf(StorageFullError);
      expect(set).toMatchObject({ code: 'store_full', status: 507 });
      const script = "return redis.call('SET', KEYS[1], ARGV[1])";
      expect(await refusal(driver.send(['EVAL', script, 1, newKey(), 'secret-value'], WRITE))).toMatchObject({
        code: 'store_full',
      });
      expect(await driver.send(['GET', key], READ)).toBe('kept');
    } finally {
      await operate('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  it('says unavailable while its Redis is a replica, and writes again when it is a master', async () => {
    const key = newKey();
    await driver.send(['PING'], READ);
    await operate('REPLICAOF', '127.0.0.1', '1');
    try {
      const error = await refusal(driver.send(['INCR', key], WRITE));
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect(error.details).toMatchObject({ reason: 'not_now', detail: 'READONLY' });
    } finally {
      await operate('REPLICAOF', 'NO', 'ONE');
    }
    expect(await driver.send(['INCR', key], WRITE)).toBe(1);
  });

  it('waits out a failover that is over in time', async () => {
    const key = newKey();
    await operate('REPLICAOF', '127.0.0.1', '1');
    const written = driver.send(['INCR', key], WRITE);
    await operate('REPLICAOF', 'NO', 'ONE');
    expect(await written).toBe(1);
  });

  it('says unavailable while a script keeps Redis busy, and serves after it', async () => {
    const key = newKey();
    const endless = operator.send(['EVAL', 'while true do end', 0], WRITE).catch(String);
    const killer = createTcpDriver({ ...settings, url: redis.url });
    try {
      const isBusy = async () => (await killer.send(['PING'], READ).catch(() => 'busy')) === 'busy';
      expect(await pollUntil(isBusy, 5_000)).toBe(true);
      const error = await refusal(driver.send(['INCR', key], WRITE));
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect(error.details).toMatchObject({ reason: 'not_now', detail: 'BUSY' });
    } finally {
      await killer.send(['SCRIPT', 'KILL'], WRITE);
      await killer.close();
      await endless;
    }
    expect(await driver.send(['INCR', key], WRITE)).toBe(1);
  });
});

describe('a request larger than a REST endpoint takes [G1]', () => {
  const LIMIT = 10 * 1024 * 1024;
  let driver: RedisDriver;
  beforeAll(() => {
    driver = open.rest();
  });
  afterAll(() => driver.close());

  it.each([
    ['one command', (value: string) => driver.send(['SET', newKey(), value], WRITE)],
    ['a pipeline', (value: string) => driver.sendAll([['SET', newKey(), value]], WRITE)],
  ])('is refused before it is sent, and said so: %s', async (_what, send) => {
    // Six bytes a character, as JSON.
    const value = 'secret-value'.concat('\u0001'.repeat(LIMIT / 6));
    expect(await refusal(send(value))).toMatchObject({ code: 'body_too_large', status: 413 });
    await send('x'.repeat(LIMIT - 200));
  });

  it('is told by the endpoint when its own limit is lower', () => {
    const said = 'ERR max request size exceeded. Limit: 1048576 bytes, Actual: 1048600 bytes';
    expect(replyError(said)).toMatchObject({ code: 'body_too_large', message: expect.not.stringContaining('1048600') });
  });
});

describe('a driver with wrong credentials [G1]', () => {
  it('says so over REST, at once and without the token', async () => {
    const driver = createRestDriver({ ...settings, restUrl: endpoint.url, restToken: 'secret-value' });
    const startedAt = performance.now();
    const calls = [() => driver.send(['GET', newKey()], READ), () => driver.sendAll([['GET', newKey()]], READ)];
    for (const call of calls) {
      const error = await refusal(call());
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect(error.details).toMatchObject({ reason: 'credentials_refused' });
    }
    expect(performance.now() - startedAt).toBeLessThan(settings.commandTimeoutMs);
    await driver.close();
  });

  it('says so over TCP, with a wrong password and without one; the right one is let in', async () => {
    await operate('CONFIG', 'SET', 'requirepass', 'right');
    const withPassword = (password: string) =>
      createTcpDriver({ ...settings, url: `redis://${password}127.0.0.1:${redis.port}` });
    const drivers = { wrong: withPassword(':secret-value@'), none: withPassword(''), right: withPassword(':right@') };
    try {
      for (const driver of [drivers.wrong, drivers.none]) {
        const error = await refusal(driver.send(['GET', newKey()], READ));
        expect(error).toBeInstanceOf(RedisUnavailableError);
        expect(error.details).toMatchObject({ reason: 'credentials_refused' });
      }
      expect(await drivers.right.send(['PING'], READ)).toBe('PONG');
    } finally {
      await operate('CONFIG', 'SET', 'requirepass', '');
      await Promise.all(Object.values(drivers).map((driver) => driver.close()));
    }
  });
});
