/** `npm start` told to stop while it works: what was taken is answered, what was answered is kept, and the exit code tells. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ShutdownReport } from '../../lib/shutdown/shutdown-report.ts';
import { writeFixtureService } from '../support/fixture-service.ts';
import { serviceTenant } from '../support/service-tenant.ts';
import { type RunningService, type StartServiceOptions, startService } from '../support/start-service.ts';

/** Ends a while after the process is told to. */
const UNTIL_TOLD =
  'globalThis.n = (globalThis.n ?? 0) + 1; globalThis.told ??= new Promise((r) => process.once("SIGTERM", () => setTimeout(r, 200)));';
const FUNCTIONS = {
  slow: { events: ['GET /slow'], body: `${UNTIL_TOLD} await told; return { statusCode: 200, body: 'done' };` },
  hang: { events: ['GET /hang'], body: `${UNTIL_TOLD} await new Promise(() => {});` },
  count: { events: ['GET /count'], body: 'return { statusCode: 200, body: String(globalThis.n ?? 0) };' },
};

let serviceFile: string;
let dataDir: string;
const started: RunningService[] = [];

beforeAll(async () => {
  serviceFile = await writeFixtureService(FUNCTIONS);
});
afterAll(() => rm(dirname(serviceFile), { recursive: true }));
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'riptide-shutdown-'));
});
afterEach(async () => {
  for (const service of started.splice(0)) await service.stop('SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

async function start(options: StartServiceOptions): Promise<RunningService> {
  const service = await startService({ dataDir, ...options });
  started.push(service);
  return service;
}

const fixture = (env: Record<string, string> = {}) => start({ args: ['--service', serviceFile], env });
const outcome = (answer: Promise<Response>) =>
  answer.then(
    async (reply) => `${reply.status} ${await reply.text()}`,
    () => 'cut off',
  );
const underWay = async ({ url }: RunningService, n: number) => {
  const count = async () => Number(await (await fetch(`${url}/count`)).text());
  await expect.poll(count, { timeout: 10_000, interval: 10 }).toBe(n);
};

function reportOf(service: RunningService): ShutdownReport {
  const [line = ''] = /^stopped \{.*$/m.exec(service.output()) ?? [];
  return JSON.parse(line.slice('stopped '.length));
}

describe('a service that is told to stop [K7]', () => {
  it('answers the 50 requests that are under way, and ends with 0', async () => {
    const service = await fixture();
    const answers = Array.from({ length: 50 }, () => outcome(fetch(`${service.url}/slow`)));
    await underWay(service, 50);
    expect(await service.stop()).toBe(0);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['200 done']));
    expect(reportOf(service)).toMatchObject({ requests_finished: 50, requests_cut: 0 });
    expect(service.output()).toMatch(/Stopped: 50 requests finished, 0 cut, 0 jobs handed over/);
  });

  it('cuts off what hangs when its time is over, says so, and ends with 1', async () => {
    const service = await fixture({ PERSISTENCE_STATE_SHUTDOWN_TIMEOUT_SECONDS: '1' });
    const answers = [outcome(fetch(`${service.url}/hang`)), outcome(fetch(`${service.url}/slow`))];
    await underWay(service, 2);
    expect(await service.stop()).toBe(1);
    expect(await Promise.all(answers)).toEqual(['cut off', '200 done']);
    const report = reportOf(service);
    expect(report).toMatchObject({ requests_finished: 1, requests_cut: 1 });
    expect(report.steps[0]).toMatchObject({ name: 'requests', outcome: 'timed_out' });
    expect(service.output()).toContain('left: requests timed_out');
  });

  it('cuts off at once where that is the setting', async () => {
    const service = await fixture({ PERSISTENCE_STATE_ENABLE_GRACEFUL_SHUTDOWN: 'false' });
    const answer = outcome(fetch(`${service.url}/hang`));
    await underWay(service, 1);
    await service.stop();
    expect(await answer).toBe('cut off');
    expect(reportOf(service).steps.map(({ name }) => name)).toEqual(['requests', 'connections']);
  });

  it('ends at once at a second signal', async () => {
    const service = await fixture();
    const answer = outcome(fetch(`${service.url}/hang`));
    await underWay(service, 1);
    process.kill(service.pid, 'SIGTERM');
    await expect.poll(() => service.output(), { timeout: 5_000 }).toContain('Stopping');
    const again = setInterval(() => process.kill(service.pid, 'SIGTERM'), 100);
    const code = await service.stop('SIGTERM').finally(() => clearInterval(again));
    expect(code).toBe(1);
    expect(await answer).toBe('cut off');
    expect(service.output()).toContain('Stopped without waiting');
  });
});

const entry = (i: number) => `/cache/ns/k${i}`;
const textOf = (i: number) => `value ${i} `.repeat(20_000);

/** 50 writers, until each is refused. @returns what was acknowledged. */
function writeUntilStopped({ url }: RunningService, key: string) {
  const acknowledged = new Set<number>();
  const refused: (string | number)[] = [];
  let next = 0;
  const write = async () => {
    for (;;) {
      const i = next++;
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'text/plain' };
      const reply = await fetch(url + entry(i), { method: 'PUT', headers, body: textOf(i) }).catch(() => null);
      if (reply?.ok) acknowledged.add(i);
      else return refused.push(reply?.status ?? 'no connection');
    }
  };
  return { acknowledged, refused, ended: Promise.all(Array.from({ length: 50 }, write)) };
}

describe('the whole service, stopped under load [K7]', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('by %s keeps every write it has acknowledged', async (signal) => {
    const service = await start({});
    const { key } = await serviceTenant(service);
    const writes = writeUntilStopped(service, key);
    await expect.poll(() => writes.acknowledged.size, { timeout: 20_000, interval: 5 }).toBeGreaterThan(60);
    const code = await service.stop(signal);
    await writes.ended;
    if (signal === 'SIGTERM') {
      expect(code).toBe(0);
      expect(reportOf(service)).toMatchObject({ requests_cut: 0 });
      expect(writes.refused.filter((why) => why !== 'no connection' && why !== 503)).toEqual([]);
    }

    const again = await start({});
    for (const i of writes.acknowledged) {
      const reply = await fetch(again.url + entry(i), { headers: { authorization: `Bearer ${key}` } });
      expect(await reply.text()).toBe(textOf(i));
    }
    expect(await again.stop()).toBe(0);
  });

  it('makes a checkpoint of type shutdown, unless it is not to', async () => {
    const shutdowns = async ({ url }: RunningService, adminKey: string) => {
      const headers = { authorization: `Bearer ${adminKey}` };
      const { items } = (await (await fetch(`${url}/admin/state/checkpoints`, { headers })).json()) as {
        items: { type: string; tenants: number }[];
      };
      return items.filter(({ type }) => type === 'shutdown').map(({ tenants }) => tenants);
    };
    const service = await start({});
    await serviceTenant(service);
    expect(await service.stop()).toBe(0);
    expect(reportOf(service).steps).toContainEqual(expect.objectContaining({ name: 'checkpoint', outcome: 'done' }));

    const again = await start({ env: { PERSISTENCE_STATE_SHUTDOWN_CHECKPOINT: 'false' } });
    expect(await shutdowns(again, again.adminKey)).toEqual([1]);
    expect(await again.stop()).toBe(0);
    const last = await start({});
    expect(await shutdowns(last, last.adminKey)).toEqual([1]);
  });
});
