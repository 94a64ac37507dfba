/** The stop of a host that is there all the time: requests end, jobs are handed over, then what is to be kept is, then it closes. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startHost } from '../../infra/local/host.ts';
import { readServiceMap } from '../../infra/local/service-map.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { createBackground } from '../../lib/shutdown/background.ts';
import { createHostShutdown, type HostShutdownDeps } from '../../lib/shutdown/host-shutdown.ts';
import { hostStop } from '../../lib/shutdown/host-stop.ts';
import type { StopStep } from '../../lib/shutdown/stop-steps.ts';
import { writeFixtureService } from '../support/fixture-service.ts';
import { counting, jobService, jobsOn, type StepHook, storedJob } from '../support/job-service.ts';

const slow = globalThis as { slowRequests?: (() => void)[] };
const SLOW =
  'await new Promise((resolve) => { (globalThis.slowRequests ??= []).push(resolve); }); return { statusCode: 200, body: "done" };';

let serviceFile: string;
beforeAll(async () => {
  telemetry.logger.setLogLevel('SILENT');
  serviceFile = await writeFixtureService({
    slow: { events: ['GET /slow'], body: SLOW },
    quick: { events: ['*'], body: 'return { statusCode: 200, body: "quick" };' },
  });
});
afterAll(() => rm(dirname(serviceFile), { recursive: true }));

async function start(more: Partial<HostShutdownDeps> = {}) {
  slow.slowRequests = [];
  const host = await startHost({ ...(await readServiceMap(serviceFile)), port: 0, onError: () => {} });
  const order: string[] = [];
  const onError = vi.fn();
  const shutdown = createHostShutdown({
    drain: host.stop,
    endRuns: async () => void order.push('runs'),
    background: createBackground(),
    beforeClose: () => [],
    close: async () => void order.push('close'),
    hostStop,
    timeoutMs: () => 30_000,
    onError,
    nowMs: () => performance.now(),
    ...more,
  });
  onTestFinished(async () => {
    for (const end of slow.slowRequests ?? []) end();
    await shutdown();
  });
  return { host, shutdown, order, onError };
}

const underWay = (n: number) => expect.poll(() => slow.slowRequests?.length, { timeout: 5_000, interval: 2 }).toBe(n);
const endAll = () => {
  for (const end of slow.slowRequests ?? []) end();
};
const slowAnswer = (url: string) =>
  fetch(`${url}/slow`).then(
    async (reply) => `${reply.status} ${await reply.text()} ${reply.headers.get('connection')}`,
    () => 'cut off',
  );

describe('requests under way when a host is stopped [K7]', () => {
  it('are all answered, and the connection is given up with the answer', async () => {
    const { host, shutdown } = await start();
    const answers = Array.from({ length: 50 }, () => slowAnswer(host.url));
    await underWay(50);
    const stopped = shutdown();
    endAll();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['200 done close']));
    expect(await stopped).toMatchObject({ requests_finished: 50, requests_cut: 0 });
    await expect(fetch(host.url)).rejects.toThrow();
  });

  it('that hang are cut off when two thirds of the time are over; the rest is for what follows', async () => {
    const step: StopStep = { name: 'keep', timeoutMs: null, run: async () => {} };
    const { host, shutdown, order } = await start({ timeoutMs: () => 300, beforeClose: () => [step] });
    const answer = slowAnswer(host.url);
    await underWay(1);
    const report = await shutdown();
    expect(await answer).toBe('cut off');
    expect(report).toMatchObject({ requests_finished: 0, requests_cut: 1 });
    expect(report.steps.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['requests', 'timed_out'],
      ['runs', 'done'],
      ['background', 'done'],
      ['keep', 'done'],
      ['connections', 'done'],
    ]);
    expect(order).toEqual(['runs', 'close']);
  });

  it('are cut off at once where the stop is not to be graceful, and nothing is kept', async () => {
    const keep = vi.fn();
    const beforeClose = () => [{ name: 'keep', timeoutMs: null, run: keep }];
    const { host, shutdown } = await start({ timeoutMs: () => null, beforeClose });
    const answer = slowAnswer(host.url);
    await underWay(1);
    const { steps, requests_cut } = await shutdown();
    expect(await answer).toBe('cut off');
    expect(requests_cut).toBe(1);
    expect(steps.map(({ name }) => name)).toEqual(['requests', 'connections']);
    expect(keep).not.toHaveBeenCalled();
  });
});

describe('a request that comes while a host is stopped [K7]', () => {
  it('on a connection there was is told so, and that nothing was done', async () => {
    const { host, shutdown } = await start();
    const answer = slowAnswer(host.url);
    await underWay(1);
    const socket = connect(host.port, '127.0.0.1');
    await once(socket, 'connect');
    // Not idle: a part of it has come.
    socket.write('GET /quick HTTP/1.1\r\nHost: localhost\r\n');
    await vi.waitUntil(() => socket.bytesWritten > 0);
    expect(await (await fetch(`${host.url}/quick`)).text()).toBe('quick');
    const stopped = shutdown();
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.write('\r\n');
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(text.toLowerCase()).toContain('connection: close\r\n');
    expect(text.toLowerCase()).toContain('retry-after: 1\r\n');
    expect(text).toContain('"code":"shutting_down"');
    endAll();
    expect(await answer).toMatch(/^200 done/);
    expect(await stopped).toMatchObject({ requests_finished: 1, requests_cut: 0 });
  });
});

describe('the order of a stop [K7]', () => {
  it('is requests, runs, background, what is to be kept, and the connections last; a second call is the same stop', async () => {
    const order: string[] = [];
    const background = createBackground();
    const keep = (name: string): StopStep => ({ name, timeoutMs: 5_000, run: async () => void order.push(name) });
    const { shutdown } = await start({
      endRuns: async () => {
        order.push('runs');
        background.track(new Promise(setImmediate).then(() => order.push('background')));
      },
      background,
      beforeClose: () => [keep('one'), keep('two')],
      close: async () => void order.push('close'),
    });
    const [report, again] = await Promise.all([shutdown(), shutdown()]);
    expect(again).toBe(report);
    expect(order).toEqual(['runs', 'background', 'one', 'two', 'close']);
    expect(report.steps.map(({ name }) => name)).toEqual([
      'requests',
      'runs',
      'background',
      'one',
      'two',
      'connections',
    ]);
    expect(hostStop.find()).toBeUndefined();
  });

  it('goes on after a step that fails, and tells of it', async () => {
    const fail: StopStep = {
      name: 'keep',
      timeoutMs: null,
      run: async () => {
        throw new Error('S3 is away');
      },
    };
    const { shutdown, order, onError } = await start({ beforeClose: () => [fail] });
    const { steps } = await shutdown();
    expect(steps).toContainEqual({ name: 'keep', outcome: 'failed', took_ms: expect.any(Number) });
    expect(onError.mock.calls).toMatchObject([['keep', { message: 'S3 is away' }]]);
    expect(order).toEqual(['runs', 'close']);
  });
});

describe('jobs of a host that is stopped [K7 K4]', () => {
  it('are put off in the midst of a step, and others go on with them at once, where they were saved', async () => {
    const begun = Promise.withResolvers<void>();
    let inTheMidst = 0;
    const hook: StepHook = async (at, _job, signal) => {
      if (at < 2) return;
      const stopped = new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      if (++inTheMidst === 2) begun.resolve();
      await stopped;
    };
    const { app, jobs } = await jobService({ hook, hostStop });
    let pass: Promise<unknown> = Promise.resolve();
    const { shutdown } = await start({ endRuns: () => pass });
    const ids = [1, 2].map((ms) => newUlid(ms));
    for (const opId of ids) await jobs.start(counting(4, { opId }));
    pass = jobs.run(hostStop.with(new AbortController().signal));
    await begun.promise;
    expect(await shutdown()).toMatchObject({ jobs_handed_over: 2 });
    expect(await storedJob(app, `job-${ids[0]}`)).toMatchObject({ status: 'running', cursor: 2, attempts: 0 });
    expect(await jobsOn(app).run()).toMatchObject({ slices: 2, done: 2 });
  });
});
