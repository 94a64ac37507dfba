/** What the Redis drivers promise when the network or Redis fails: over REST and over TCP, through a proxy that fails. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { pollUntil } from '../../infra/local/redis/poll-until.ts';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import { type RunningUpstashEndpoint, startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import { AppError, DeadlineError, OutcomeUnknownError, RedisUnavailableError } from '../../lib/errors.ts';
import type { RedisDriver } from '../../lib/redis/driver.ts';
import { createRestDriver } from '../../lib/redis/rest-driver.ts';
import { createTcpDriver } from '../../lib/redis/tcp-driver.ts';
import { driverSettings, READ, WRITE } from '../support/driver-settings.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';

const TOKEN = 'fault-test-token';
const COMMAND_TIMEOUT_MS = 600;
/** For timers and a busy machine. */
const SLACK_MS = 400;
const settings = driverSettings({ connectionTimeoutMs: 600, commandTimeoutMs: COMMAND_TIMEOUT_MS, retryDelayMs: 30 });

let dir: string;
let redis: RunningRedis;
let endpoint: RunningUpstashEndpoint;
let direct: RedisDriver;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redis-faults-'));
  redis = await startRedis({ dir, appendonly: true });
  endpoint = await startUpstashEndpoint({ redisUrl: redis.url, token: TOKEN });
  direct = createTcpDriver({ ...settings, url: redis.url });
});
afterAll(async () => {
  await direct.close();
  await endpoint.stop();
  await redis.stop();
  await rm(dir, { recursive: true, force: true });
});

const transports = {
  rest: {
    targetPort: () => endpoint.port,
    open: (port: number, changes = {}) =>
      createRestDriver({ ...settings, restUrl: `http://127.0.0.1:${port}`, restToken: TOKEN, ...changes }),
  },
  tcp: {
    targetPort: () => redis.port,
    open: (port: number, changes = {}) =>
      createTcpDriver({ ...settings, url: `redis://127.0.0.1:${port}`, ...changes }),
  },
};

const newKey = () => `fault:${randomBytes(6).toString('hex')}`;

/** The error and how long it took, in ms. */
async function failure(call: Promise<unknown>): Promise<{ error: AppError; tookMs: number }> {
  const startedAt = performance.now();
  const error = await call.then(
    (value) => new Error(`answered: ${String(value)}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return { error: error as AppError, tookMs: performance.now() - startedAt };
}

describe.each(['rest', 'tcp'] as const)('%s driver, when things fail [G1]', (transport) => {
  let proxy: FaultProxy;
  let driver: RedisDriver;

  beforeEach(async () => {
    const { targetPort, open } = transports[transport];
    proxy = await startFaultProxy({ targetPort: targetPort() });
    driver = open(proxy.port);
    await driver.send(['PING'], READ);
  });
  afterEach(async () => {
    await driver.close();
    await proxy.stop();
  });

  it('says unavailable, within the command timeout, while nothing accepts connections', async () => {
    await proxy.refuse();
    for (const options of [READ, WRITE]) {
      const { error, tookMs } = await failure(driver.send(['INCR', newKey()], options));
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect(error.retryAfterMs).toBeGreaterThan(0);
      expect(tookMs).toBeLessThan(COMMAND_TIMEOUT_MS + SLACK_MS);
    }
  });

  it('serves again when the server accepts again, without a new driver', async () => {
    await proxy.refuse();
    await failure(driver.send(['PING'], READ));
    await proxy.accept();
    expect(await driver.send(['PING'], READ)).toBe('PONG');
  });

  it('retries a write that was never sent, and applies it once', async () => {
    const key = newKey();
    await proxy.refuse();
    await failure(driver.send(['PING'], READ));
    const written = driver.send(['INCR', key], WRITE);
    await proxy.accept();
    expect(await written).toBe(1);
    expect(await direct.send(['GET', key], READ)).toBe('1');
  });

  it('says "outcome unknown" when the reply of a write is lost, and never sends it again', async () => {
    const key = newKey();
    proxy.loseNextReply();
    const { error } = await failure(driver.send(['INCR', key], WRITE));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(await driver.send(['GET', key], READ)).toBe('1');
  });

  it('does so for a pipeline of writes, too', async () => {
    const key = newKey();
    proxy.loseNextReply();
    const pipeline = driver.sendAll(
      [
        ['INCR', key],
        ['INCR', key],
      ],
      WRITE,
    );
    expect((await failure(pipeline)).error).toBeInstanceOf(OutcomeUnknownError);
    expect(await driver.send(['GET', key], READ)).toBe('2');
  });

  it('answers a read whose reply was lost', async () => {
    const key = newKey();
    await direct.send(['SET', key, 'here'], WRITE);
    proxy.loseNextReply();
    expect(await driver.send(['GET', key], READ)).toBe('here');
    proxy.loseNextReply();
    expect(await driver.sendAll([['GET', key], ['PING']], READ)).toEqual(['here', 'PONG']);
  });

  it('answers a read over a new connection when the old one is dead and does not say so', async () => {
    const key = newKey();
    await direct.send(['SET', key, 'here'], WRITE);
    proxy.freeze();
    const startedAt = performance.now();
    expect(await driver.send(['GET', key], READ)).toBe('here');
    expect(performance.now() - startedAt).toBeLessThan(COMMAND_TIMEOUT_MS);
  });

  it('leaves a dead connection also when every caller gives up sooner than the command timeout', async () => {
    const patient = transports[transport].open(proxy.port, { commandTimeoutMs: 60_000 });
    onTestFinished(() => patient.close());
    await patient.send(['PING'], READ);
    proxy.freeze();
    const probe = () => patient.send(['PING'], { ...READ, signal: AbortSignal.timeout(1_200) }).catch(() => 'given up');
    expect(await probe()).toBe('given up');
    await expect.poll(probe, { timeout: 10_000 }).toBe('PONG');
  });

  it('ends a call within the command timeout when nothing answers', async () => {
    proxy.mode('hang');
    const [read, write] = await Promise.all([
      failure(driver.send(['GET', newKey()], READ)),
      failure(driver.send(['INCR', newKey()], WRITE)),
    ]);
    expect(read.error).toBeInstanceOf(RedisUnavailableError);
    expect(write.error).toBeInstanceOf(OutcomeUnknownError);
    expect(Math.max(read.tookMs, write.tookMs)).toBeLessThan(COMMAND_TIMEOUT_MS + SLACK_MS);
  });

  it('gives a late reply to nobody else', async () => {
    const keys = Array.from({ length: 20 }, newKey);
    await direct.sendAll(
      keys.map((key) => ['SET', key, `value of ${key}`]),
      WRITE,
    );
    proxy.mode('hold-replies');
    await Promise.all(keys.map((key) => failure(driver.send(['GET', key], READ))));
    proxy.mode('pass');
    const later = [...keys].reverse();
    const values = await Promise.all(later.map((key) => driver.send(['GET', key], READ)));
    expect(values).toEqual(later.map((key) => `value of ${key}`));
  });

  it('ends the wait when the caller gives up: unknown for a write that was sent, a deadline for a read', async () => {
    const key = newKey();
    proxy.mode('hold-replies');
    const signal = AbortSignal.timeout(100);
    const [read, write] = await Promise.all([
      failure(driver.send(['GET', key], { ...READ, signal })),
      failure(driver.send(['INCR', key], { ...WRITE, signal })),
    ]);
    expect(read.error).toBeInstanceOf(DeadlineError);
    expect(write.error).toBeInstanceOf(OutcomeUnknownError);
    expect(Math.max(read.tookMs, write.tookMs)).toBeLessThan(COMMAND_TIMEOUT_MS - 100);
    proxy.mode('pass');
    expect(await driver.send(['GET', key], READ)).toBe('1');
  });

  it('puts no argument into an error', async () => {
    await proxy.refuse();
    const { error } = await failure(driver.send(['SET', newKey(), 'secret-value'], WRITE));
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('secret-value');
  });

  it('carries on under load while connections are cut, and counts every answered write once', async () => {
    const key = newKey();
    let running = true;
    let answered = 0;
    let unknown = 0;
    const caller = async () => {
      while (running) {
        await driver.send(['INCR', key], WRITE).then(
          () => answered++,
          (error: unknown) => {
            if (error instanceof OutcomeUnknownError) unknown++;
            else if (!(error instanceof RedisUnavailableError)) throw error;
          },
        );
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    for (let cuts = 1; cuts <= 5; cuts++) {
      const before = answered;
      await pollUntil(() => answered > before + 20, 5_000);
      proxy.cut();
    }
    running = false;
    await Promise.all(callers);
    const counted = Number(await direct.send(['GET', key], READ));
    expect(counted).toBeGreaterThanOrEqual(answered);
    expect(counted).toBeLessThanOrEqual(answered + unknown);
  });

  it('says unavailable while Redis is stopped, keeps what was written, and serves again when it is back', async () => {
    const key = newKey();
    const { port } = redis;
    // Not through the proxy: it accepts a connection before it finds that Redis does not.
    const straight = transports[transport].open(transports[transport].targetPort());
    await straight.send(['SET', key, 'kept'], WRITE);
    await redis.stop();
    try {
      for (const options of [READ, WRITE]) {
        const { error, tookMs } = await failure(straight.send(['INCR', newKey()], options));
        expect(error).toBeInstanceOf(RedisUnavailableError);
        expect(tookMs).toBeLessThan(COMMAND_TIMEOUT_MS + SLACK_MS);
      }
    } finally {
      redis = await startRedis({ dir, port, appendonly: true });
    }
    let value: unknown;
    const isBack = async () => {
      value = await straight.send(['GET', key], READ).catch(() => undefined);
      return value !== undefined;
    };
    expect(await pollUntil(isBack, 5_000)).toBe(true);
    expect(value).toBe('kept');
    await straight.close();
  });
});
