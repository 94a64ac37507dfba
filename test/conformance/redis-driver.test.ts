/** What every Redis driver promises, on real servers: over REST, over TCP, and on a Cluster of three masters. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCluster, startCluster } from '../../infra/local/redis/start-cluster.ts';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import { type RunningUpstashEndpoint, startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import { DeadlineError, RedisReplyError, RedisUnavailableError } from '../../lib/errors.ts';
import { allScripts } from '../../lib/redis/bindings/all-scripts.ts';
import type { RedisCommand, RedisDriver, RedisReply } from '../../lib/redis/driver.ts';
import { type FailpointCall, withFailpoints } from '../../lib/redis/failpoints.ts';
import { asInteger, asText } from '../../lib/redis/reply-shape.ts';
import { createRestDriver } from '../../lib/redis/rest-driver.ts';
import { defineScript, runScript, runScripts, scriptCall } from '../../lib/redis/script.ts';
import { createTcpDriver } from '../../lib/redis/tcp-driver.ts';
import { driverSettings, READ, WRITE } from '../support/driver-settings.ts';

const TOKEN = 'conformance-token';
const settings = driverSettings({ poolSize: 4 });

let dir: string;
let redis: RunningRedis;
let endpoint: RunningUpstashEndpoint;
let cluster: RunningCluster;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redis-conformance-'));
  [redis, cluster] = await Promise.all([
    startRedis({ dir: join(dir, 'single'), appendonly: false }),
    startCluster({ dir: join(dir, 'cluster') }),
  ]);
  endpoint = await startUpstashEndpoint({ redisUrl: redis.url, token: TOKEN });
});
afterAll(async () => {
  await endpoint.stop();
  await Promise.all([redis.stop(), cluster.stop()]);
  await rm(dir, { recursive: true, force: true });
});

type Settings = Partial<typeof settings>;
const setups = {
  rest: (own: Settings = {}) => createRestDriver({ ...settings, ...own, restUrl: endpoint.url, restToken: TOKEN }),
  tcp: (own: Settings = {}) => createTcpDriver({ ...settings, ...own, url: redis.url }),
  cluster: (own: Settings = {}) => createTcpDriver({ ...settings, ...own, url: cluster.url, clusterMode: true }),
};

const newKey = () => `conformance:${randomBytes(6).toString('hex')}`;
const echo = defineScript({
  name: 'echo',
  source: 'return ARGV[1]',
  keys: ['key'],
  args: ['text'],
  reply: (raw) => asText(raw),
});
const count = defineScript({
  name: 'count',
  source: "return redis.call('INCR', KEYS[1])",
  keys: ['counter'],
  args: [],
  reply: (raw) => asInteger(raw),
});

async function failure(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    (value) => `answered: ${String(value)}`,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

describe.each(['rest', 'tcp', 'cluster'] as const)('%s driver [G1]', (setup) => {
  let driver: RedisDriver;
  beforeAll(() => {
    driver = setups[setup]();
  });
  afterAll(() => driver.close());

  const evaluate = (lua: string, ...args: string[]): Promise<RedisReply> =>
    driver.send(['EVAL', lua, 1, newKey(), ...args], WRITE);

  /** Every node of a Cluster forgets its scripts; a command without a key goes to one of them only. */
  const forgetScripts = async () => {
    const urls = setup === 'cluster' ? cluster.nodes.map(({ port }) => `redis://127.0.0.1:${port}`) : [redis.url];
    const nodes = urls.map((url) => createTcpDriver({ ...settings, url }));
    await Promise.all(nodes.map((node) => node.send(['SCRIPT', 'FLUSH'], WRITE)));
    await Promise.all(nodes.map((node) => node.close()));
  };

  describe('replies', () => {
    it.each([
      ['empty', ''],
      ['a number', '123'],
      ['a number with zeros', '00123.50'],
      ['a number beyond 2^53', '9007199254740993'],
      ['a word of JSON', 'null'],
      ['JSON', '{"a":[1,"2"],"__proto__":{}}'],
      ['OK', 'OK'],
      ['what looks like base64', 'c2Vzc2lvbg=='],
      ['what could be base64', 'session1'],
      ['unicode', 'žluťoučký 漢字 🙂 \u202e'],
      ['a byte-order mark', '\ufefftext'],
      ['control characters', 'a\u0000b\r\nc\u0007"\\\u007f'],
      ['RESP', '$-1\r\n*2\r\n'],
    ])('give back the very string that was stored: %s', async (_what, value) => {
      const key = newKey();
      expect(await driver.send(['SET', key, value], WRITE)).toBe('OK');
      expect(await driver.send(['GET', key], READ)).toBe(value);
      expect(await driver.sendAll([['GET', key]], READ)).toEqual([value]);
      expect(await evaluate('return {ARGV[1], {ARGV[1]}}', value)).toEqual([value, [value]]);
    });

    it('give back a megabyte', async () => {
      const key = newKey();
      const value = randomBytes(750_000).toString('base64');
      await driver.send(['SET', key, value], WRITE);
      expect((await driver.send(['GET', key], READ)) === value).toBe(true);
    });

    it('are numbers for integers, null for what is absent, lists in lists', async () => {
      expect(await driver.send(['GET', newKey()], READ)).toBeNull();
      expect(await driver.send(['INCRBY', newKey(), 41], WRITE)).toBe(41);
      const nested = await evaluate('return {1, -2, "3", false, {"x", {4, {"deep", {}}}}}');
      expect(nested).toEqual([1, -2, '3', null, ['x', [4, ['deep', []]]]]);
    });

    it('are flat lists for hashes, whatever case the command is written in', async () => {
      const key = newKey();
      await driver.send(['HSET', key, 'field', '1', 'OK', 'x'], WRITE);
      expect(await driver.send(['HGETALL', key], READ)).toEqual(['field', '1', 'OK', 'x']);
      expect(await driver.send(['hgetall', key], READ)).toEqual(['field', '1', 'OK', 'x']);
    });

    it('go to the call they belong to, many at a time', async () => {
      const texts = Array.from({ length: 500 }, (_, i) => `${i}:${'x'.repeat((i * 37) % 2_000)}`);
      const replies = await Promise.all(
        texts.map((text) => driver.send(['EVAL', 'return ARGV[1]', 1, newKey(), text], READ)),
      );
      expect(replies).toEqual(texts);
    });

    it('come one by one when pipelining is off', async () => {
      const plain = setups[setup]({ enablePipelining: false });
      const keys = [newKey(), newKey(), newKey()];
      expect(
        await plain.sendAll(
          keys.map((key): RedisCommand => ['INCR', key]),
          WRITE,
        ),
      ).toEqual([1, 1, 1]);
      expect(await Promise.all(keys.map((key) => plain.send(['INCR', key], WRITE)))).toEqual([2, 2, 2]);
      await plain.close();
    });
  });

  describe('errors', () => {
    it('are told apart by their first word, and hold no argument', async () => {
      const key = newKey();
      await driver.send(['SET', key, 'secret-value'], WRITE);
      const failures = await Promise.all([
        failure(driver.send(['LPUSH', key, 'secret-value'], WRITE)),
        failure(driver.send(['INCR', key], WRITE)),
        failure(driver.send(['SECRET-VALUE', key, 'secret-value'], WRITE)),
        failure(evaluate("return redis.error_reply('MYCODE ' .. ARGV[1])", 'secret-value')),
        failure(evaluate('error(ARGV[1])', 'secret-value')),
      ]);
      expect(failures.map((error) => (error as RedisReplyError).reply)).toEqual([
        'WRONGTYPE',
        'ERR',
        'ERR',
        'MYCODE',
        'ERR',
      ]);
      for (const error of failures) {
        expect(error).toBeInstanceOf(RedisReplyError);
        const shown = `${error.stack} ${JSON.stringify(error)} ${JSON.stringify(error.cause ?? null)}`;
        expect(shown.toLowerCase()).not.toContain('secret-value');
        expect(shown).not.toContain(key);
      }
    });

    it('name the line a script failed at', async () => {
      const error = await failure(evaluate('local x\nreturn x .. KEYS[1]'));
      expect(error.message).toMatch(/at line 2 of the script: attempt to concatenate/);
    });
  });

  describe('a pipeline', () => {
    it('answers in order, over as many slots and trips as it takes', async () => {
      const keys = Array.from({ length: 250 }, newKey);
      await driver.sendAll(
        keys.map((key, i): RedisCommand => ['SET', key, `v${i}`]),
        WRITE,
      );
      const replies = await driver.sendAll(
        keys.map((key): RedisCommand => ['GET', key]),
        READ,
      );
      expect(replies).toEqual(keys.map((_key, i) => `v${i}`));
    });

    it('keeps an error in its place and runs what follows', async () => {
      const key = newKey();
      const replies = await driver.sendAll(
        [
          ['SET', key, 'text'],
          ['INCR', key],
          ['EVALSHA', 'f'.repeat(40), 1, key],
          ['GET', key],
          ['GET', newKey()],
        ],
        WRITE,
      );
      expect(replies).toEqual(['OK', expect.any(RedisReplyError), expect.any(RedisReplyError), 'text', null]);
      expect(replies.slice(1, 3).map((error) => (error as RedisReplyError).reply)).toEqual(['ERR', 'NOSCRIPT']);
    });

    it('takes more in bytes than one request may, and gives it back', async () => {
      const keys = Array.from({ length: 30 }, newKey);
      const values = keys.map((_key, i) => (i % 2 === 0 ? 'b' : '"').repeat(1024 * 1024 - i));
      const set = await driver.sendAll(
        keys.map((key, i): RedisCommand => ['SET', key, values[i] ?? '']),
        WRITE,
      );
      expect(set).toEqual(keys.map(() => 'OK'));
      const read = await driver.sendAll(
        keys.map((key): RedisCommand => ['GET', key]),
        READ,
      );
      expect(read.map((value, i) => value === values[i])).toEqual(keys.map(() => true));
      await Promise.all(keys.map((key) => driver.send(['DEL', key], WRITE)));
    });

    it('is nothing when it is empty', async () => {
      expect(await driver.sendAll([], WRITE)).toEqual([]);
    });
  });

  describe('scripts', () => {
    it('run although the server does not know them, alone and in pipelines', async () => {
      await forgetScripts();
      const counter = newKey();
      expect(await runScript(driver, count, { keys: { counter }, args: {}, ...WRITE })).toBe(1);
      await forgetScripts();
      const outcomes = await runScripts(
        driver,
        [
          scriptCall(count, { keys: { counter }, args: {} }),
          scriptCall(echo, { keys: { key: newKey() }, args: { text: '00' } }),
          scriptCall(count, { keys: { counter: newKey() }, args: {} }),
        ],
        WRITE,
      );
      expect(outcomes).toEqual([2, '00', 1]);
    });

    it('are sent again only where the server did not know them', async () => {
      await forgetScripts();
      const [known, unknown] = [newKey(), newKey()];
      await runScript(driver, count, { keys: { counter: known }, args: {}, ...WRITE });
      const calls = [
        scriptCall(count, { keys: { counter: known }, args: {} }),
        scriptCall(echo, { keys: { key: known }, args: { text: 'x' } }),
        scriptCall(count, { keys: { counter: unknown }, args: {} }),
      ] as const;
      expect(await runScripts(driver, calls, WRITE)).toEqual([2, 'x', 1]);
      expect(await driver.send(['GET', known], READ)).toBe('2');
    });

    it('keep their errors in their places', async () => {
      const counter = newKey();
      await driver.send(['SET', counter, 'text'], WRITE);
      const calls = [
        scriptCall(count, { keys: { counter }, args: {} }),
        scriptCall(count, { keys: { counter: newKey() }, args: {} }),
      ] as const;
      expect(await runScripts(driver, calls, WRITE)).toEqual([expect.any(RedisReplyError), 1]);
    });

    it('are not noticed to be gone by any caller while SCRIPT FLUSH happens under load', async () => {
      let flushing = true;
      let calls = 0;
      const caller = async () => {
        const counter = newKey();
        for (let n = 1; flushing; n++, calls++) {
          expect(await runScript(driver, count, { keys: { counter }, args: {}, ...WRITE })).toBe(n);
        }
      };
      const callers = Array.from({ length: 16 }, caller);
      for (let flushes = 0; flushes < 20; flushes++) await forgetScripts();
      flushing = false;
      await Promise.all(callers);
      expect(calls).toBeGreaterThan(16);
    });

    it.each(allScripts)('$name is known to Redis by our hash of it', async ({ source, sha1 }) => {
      expect(await driver.send(['SCRIPT', 'LOAD', source], WRITE)).toBe(sha1);
    });

    it('pass their name to failpoints, which act before and after each trip', async () => {
      const seen: FailpointCall[] = [];
      const watched = withFailpoints(driver, (call) => {
        seen.push(call);
        if (call.phase === 'after' && call.name === 'count') throw new Error('killed here');
      });
      const counter = newKey();
      await driver.send(['SCRIPT', 'LOAD', count.source], WRITE);
      await runScript(driver, count, { keys: { counter }, args: {}, ...WRITE });
      await expect(runScript(watched, count, { keys: { counter }, args: {}, ...WRITE })).rejects.toThrow('killed here');
      expect(await watched.send(['GET', counter], READ)).toBe('2');
      expect(seen).toEqual([
        { port: 'redis', name: 'count', phase: 'before' },
        { port: 'redis', name: 'count', phase: 'after' },
        { port: 'redis', name: 'GET', phase: 'before' },
        { port: 'redis', name: 'GET', phase: 'after' },
      ]);
    });
  });

  describe('a call', () => {
    it('is not made when its signal has aborted already', async () => {
      const key = newKey();
      const signal = AbortSignal.abort();
      expect(await failure(driver.send(['INCR', key], { ...WRITE, signal }))).toBeInstanceOf(DeadlineError);
      expect(await failure(driver.sendAll([['INCR', key]], { ...WRITE, signal }))).toBeInstanceOf(DeadlineError);
      expect(await driver.send(['GET', key], READ)).toBeNull();
    });

    it('leaves nothing behind on a signal that outlives it', async () => {
      const { signal } = new AbortController();
      const key = newKey();
      const warnings: Error[] = [];
      const onWarning = (warning: Error) => warnings.push(warning);
      process.on('warning', onWarning);
      for (let i = 0; i < 30; i++) await driver.send(['GET', key], { ...READ, signal });
      process.off('warning', onWarning);
      expect(warnings).toEqual([]);
    });

    it('is refused once the driver is closed', async () => {
      const closing = setups[setup]();
      await closing.send(['GET', newKey()], READ);
      await closing.close();
      const error = await failure(closing.send(['GET', newKey()], READ));
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect((error as RedisUnavailableError).details).toEqual({ reason: 'closed' });
      await closing.close();
    });
  });
});
