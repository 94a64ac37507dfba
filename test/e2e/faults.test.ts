/** Faults over HTTP, against `npm start` in another process with a Redis of the test's own. */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { redisPidAt } from '../../infra/local/redis/ask-redis.ts';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { keepAliveClient } from '../support/keep-alive-client.ts';
import { temporaryDir } from '../support/redis-own.ts';
import { type ServiceTenant, serviceTenant } from '../support/service-tenant.ts';
import { type RunningService, startService } from '../support/start-service.ts';

const COMMAND_TIMEOUT_MS = 400;
/** For a machine that is busy with other things. */
const SLACK_MS = 2_000;
const BACK_MS = 15_000;
const ENV = {
  PERSISTENCE_REDIS_COMMAND_TIMEOUT_MS: String(COMMAND_TIMEOUT_MS),
  PERSISTENCE_REDIS_CONNECTION_TIMEOUT_MS: String(COMMAND_TIMEOUT_MS),
};

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The code of a problem. */
  readonly code: string | undefined;
  readonly ms: number;
}

async function ask(url: string, init: { readonly method?: string; readonly body?: string; key?: string } = {}) {
  const { key, ...rest } = init;
  const startedAt = performance.now();
  const reply = await fetch(url, { ...rest, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });
  const text = await reply.text();
  const isProblem = reply.headers.get('content-type') === 'application/problem+json';
  const code = isProblem ? String(JSON.parse(text).code) : undefined;
  return { status: reply.status, headers: reply.headers, text, code, ms: performance.now() - startedAt } as Answer;
}

const LOAD_MS = 2_000;
/** What a service prints when something happened that it did not mean to answer. */
const UNEXPECTED = /Unhandled rejection|Function \w+ failed|"code":"(?:internal|store_error)"/;

describe('Redis stopped under a running service [G1 M3]', () => {
  it('is answered with 503 in time, named by readiness, and served again when it is back', async () => {
    const dir = await temporaryDir();
    const first = await startRedis({ dir, appendonly: true });
    onTestFinished(() => first.stop());
    const service = await startService({ env: { ...ENV, REDIS_URL: first.url } });
    onTestFinished(async () => void (await service.stop()));
    const { key } = await serviceTenant(service);
    const entry = `${service.url}/cache/faults/kept`;
    expect((await ask(entry, { method: 'PUT', key, body: 'kept' })).status).toBe(201);
    expect(await readiness(service)).toMatchObject({ http: 200, status: 'ready' });

    process.kill(first.pid, 'SIGKILL');
    await expectDown(service, key, entry);
    await first.stop();
    const second = await startRedis({ dir, port: first.port, appendonly: true });
    onTestFinished(() => second.stop());
    await expect.poll(async () => (await ask(entry, { key })).text, { timeout: BACK_MS }).toBe('kept');
    expect(await readiness(service)).toMatchObject({ http: 200, status: 'ready' });
    expect(service.output()).not.toMatch(UNEXPECTED);
  });

  it("of the stack's own is started again, and the service goes on with what was stored", async () => {
    const service = await startService({ env: ENV });
    onTestFinished(async () => void (await service.stop()));
    const { key } = await serviceTenant(service);
    const entry = `${service.url}/cache/faults/own`;
    await ask(entry, { method: 'PUT', key, body: 'kept' });
    const { hostname, port } = new URL(service.settings.RIPTIDE_LOCAL_REDIS_URL ?? '');
    process.kill(await redisPidAt({ host: hostname, port: Number(port) }), 'SIGKILL');
    await expect.poll(() => service.output(), { timeout: BACK_MS }).toContain('Redis is back');
    await expect.poll(async () => (await ask(entry, { key })).text, { timeout: BACK_MS }).toBe('kept');
    expect(service.output()).not.toMatch(UNEXPECTED);
  });
});

async function expectDown(service: RunningService, key: string, entry: string): Promise<void> {
  await expect.poll(async () => (await ask(entry, { key })).status).toBe(503);
  for (const init of [{ key }, { key, method: 'PUT', body: 'lost' }, { key, method: 'DELETE' }]) {
    const answer = await ask(entry, init);
    expect([answer.status, answer.code, answer.headers.get('retry-after')]).toEqual([503, 'store_unavailable', '1']);
    expect(answer.ms).toBeLessThan(COMMAND_TIMEOUT_MS + SLACK_MS);
  }
  expect((await ask(`${service.url}/health/live`)).status).toBe(200);
  expect(await readiness(service)).toMatchObject({ http: 503, status: 'unavailable', components: { redis: 'down' } });
}

async function readiness(service: RunningService) {
  const { status, text } = await ask(`${service.url}/health/ready`);
  return { http: status, ...JSON.parse(text) };
}

describe('a running service [G1 M3 A14]', () => {
  let redis: RunningRedis;
  let proxy: FaultProxy;
  let service: RunningService;
  let tenant: ServiceTenant;
  const started = new AsyncDisposableStack();
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'riptide-faults-'));
    started.defer(() => rm(dir, { recursive: true, force: true }));
    redis = await startRedis({ dir, appendonly: false });
    started.defer(() => redis.stop());
    proxy = await startFaultProxy({ targetPort: redis.port });
    started.defer(() => proxy.stop());
    service = await startService({ env: { ...ENV, REDIS_URL: `redis://127.0.0.1:${proxy.port}` } });
    started.defer(async () => void (await service.stop()));
    tenant = await serviceTenant(service);
  });
  afterAll(async () => {
    const output = service.output();
    await started.disposeAsync();
    expect(output).not.toMatch(UNEXPECTED);
  });

  const entry = (name: string) => `${service.url}/cache/faults/${name}`;
  const usedOf = async () => JSON.parse((await ask(`${service.url}/whoami`, tenant)).text).used;
  const openFiles = () => readdirSync(`/proc/${service.pid}/fd`).length;

  it('answers in time while Redis hangs, keeps nothing of it open, and serves again', async () => {
    expect((await ask(entry('hang'), { ...tenant, method: 'PUT', body: 'x' })).status).toBe(201);
    const before = openFiles();
    proxy.mode('hang');
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 30 }, (_, i) =>
        ask(entry('hang'), i % 2 === 0 ? tenant : { ...tenant, method: 'PUT', body: 'y' }),
      );
      for (const { status, code, headers, ms } of await Promise.all(asked)) {
        expect(status).toBe(503);
        expect(['store_unavailable', 'outcome_unknown']).toContain(code);
        expect(headers.get('retry-after')).toBe('1');
        expect(ms).toBeLessThan(2 * COMMAND_TIMEOUT_MS + SLACK_MS);
      }
    }
    expect((await ask(`${service.url}/health/live`)).status).toBe(200);
    proxy.mode('pass');
    proxy.cut();
    await expect.poll(async () => (await ask(entry('hang'), tenant)).text, { timeout: BACK_MS }).toBe('x');
    await expect.poll(openFiles, { timeout: BACK_MS }).toBeLessThan(before + 40);
  });

  it('stores nothing of an upload whose caller is gone', async () => {
    const before = await usedOf();
    const head = `PUT /cache/faults/half HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tenant.key}\r\n`;
    const half = Buffer.alloc(512 * 1024, 'x');
    const uploads = ['Content-Length: 1048576\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n100000\r\n', 'Content-Le'];
    for (let i = 0; i < 15; i++) await leaveMidway(service, Buffer.concat([Buffer.from(head + uploads[i % 3]), half]));
    expect((await ask(entry('half'), tenant)).status).toBe(404);
    expect(await usedOf()).toMatchObject({ entries: before.entries, memory_bytes: before.memory_bytes });
  });

  it('has no fault for 50 callers who mix good and bad requests while scripts are flushed', async () => {
    const flushing = new Redis(redis.url);
    onTestFinished(() => flushing.disconnect());
    const flush = setInterval(() => void flushing.script('FLUSH'), 100);
    const statuses = await Promise.all(Array.from({ length: 50 }, (_, i) => callFor(LOAD_MS, service, tenant, i)));
    clearInterval(flush);
    const counted = Object.groupBy(statuses.flat(), (status) => `${String(status)[0]}xx`);
    expect(Object.keys(counted).sort()).toEqual(['2xx', '4xx']);
    expect(counted['2xx']?.length).toBeGreaterThan(100);
    expect((await ask(entry('load'), tenant)).status).toBeLessThan(500);
  });
});

/** Sends bytes and resets the connection once they are out. */
function leaveMidway(service: RunningService, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => {
      socket.write(bytes, () => socket.resetAndDestroy());
    });
    // Whether the service was faster to hang up does not matter.
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });
}

/** One caller's requests for `ms`, one after the other on one connection. @returns the status of each. */
async function callFor(ms: number, service: RunningService, { key }: ServiceTenant, seed: number): Promise<number[]> {
  const client = keepAliveClient(service.url);
  const headers = { authorization: `Bearer ${key}` };
  const path = '/cache/faults/load';
  const calls = [
    { method: 'PUT', path, headers, body: 'x'.repeat(seed * 100) },
    { method: 'GET', path, headers },
    { method: 'HEAD', path: '/cache/faults/none', headers },
    { method: 'GET', path: '/cache/-/none', headers },
    { method: 'PUT', path, headers: { ...headers, 'content-type': 'application/json' }, body: '{' },
    { method: 'PUT', path, headers: { ...headers, 'if-match': '"' }, body: 'x' },
    { method: 'DELETE', path, headers },
    { method: 'GET', path },
    { method: 'POST', path: '/admin/tenants', headers, body: '{}' },
    { method: 'GET', path: '/cache/faults/%ff', headers },
    { method: 'GET', path: '/whoami', headers: { authorization: 'Bearer rt_x' } },
    { method: 'PATCH', path: '/nowhere' },
  ];
  const statuses: number[] = [];
  const endsAt = performance.now() + ms;
  for (let i = seed; performance.now() < endsAt; i++) statuses.push(await client.send(calls[i % calls.length] ?? NONE));
  client.close();
  return statuses;
}

const NONE = { method: 'GET', path: '/' };
