/** Long work that does not wait for the clock: a pass is started with it, and one that had to end starts the next. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { linkOf } from '../../lib/jobs/next-pass.ts';
import { createStartRun, type RunEvent } from '../../lib/jobs/start-run.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { counting, endLease, jobService, jobsOn, type StepHook, storedJob } from '../support/job-service.ts';
import { lambdaEndpoint } from '../support/lambda-endpoint.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

function startedRuns() {
  const started: (RunEvent | undefined)[] = [];
  const runs = { isPossible: () => true, start: async (event?: RunEvent) => void started.push(event) };
  return { started, runs };
}

describe.each(TRANSPORTS)('a job that is started, over %s [K4]', (transport) => {
  it('starts a pass, which does the work', async () => {
    const passes: Promise<unknown>[] = [];
    const runs = { isPossible: () => true, start: async () => void passes.push(jobs.run()) };
    const { app, jobs } = await jobService({ transport, runs });
    const { id } = await jobs.start(counting(3));
    await Promise.all(passes);
    expect(passes).toHaveLength(1);
    expect(await storedJob(app, id)).toMatchObject({ status: 'done' });
  });

  it('that is done by then needs none; one that has work left does', async () => {
    const clock = { nowMs: 0 };
    const hook: StepHook = () => {
      clock.nowMs += 10;
    };
    const { started, runs } = startedRuns();
    const { jobs } = await jobService({ transport, runs, hook, now: () => clock.nowMs });
    await jobs.start(counting(1, { inlineMs: 1_000, opId: newUlid(1) }));
    expect(started).toEqual([]);
    await jobs.start(counting(5, { inlineMs: 15, opId: newUlid(2) }));
    expect(started).toEqual([undefined]);
  });

  it('again under its operation starts a pass again only while it waits', async () => {
    const { started, runs } = startedRuns();
    const { jobs } = await jobService({ transport, runs });
    const opId = newUlid(Date.now());
    for (let i = 0; i < 2; i++) await jobs.start(counting(1, { opId }));
    expect(started).toHaveLength(2);
    await jobs.run();
    await jobs.start(counting(1, { opId }));
    expect(started).toHaveLength(2);
  });

  it('beside 16 others is left to those who work on them', async () => {
    const { started, runs } = startedRuns();
    const { jobs } = await jobService({ transport, runs });
    for (let i = 1; i <= 40; i++) await jobs.start(counting(1, { opId: newUlid(i) }));
    expect(started).toHaveLength(16);
    expect(await jobs.run()).toMatchObject({ done: 40 });
  });
});

describe('a pass that has to end by its time [K4]', () => {
  const over = AbortSignal.abort();

  it('starts the next one, and tells it how many there were', async () => {
    const { started, runs } = startedRuns();
    const { jobs } = await jobService({ runs });
    expect(await jobs.run(over, 4)).toMatchObject({ finished: false });
    expect(started).toEqual([{ link: 5 }]);
  });

  it('does so once in two minutes, however many end', async () => {
    const { started, runs } = startedRuns();
    const { app, jobs, keys } = await jobService({ runs });
    await Promise.all(Array.from({ length: 20 }, () => jobs.run(over)));
    expect(started).toHaveLength(1);
    const leftMs = Number(await app.redis.send(['PTTL', keys.jobsTurn()], { kind: 'read' }));
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(120_000);
    await app.redis.send(['DEL', keys.jobsTurn()], { kind: 'write' });
    await jobs.run(over);
    expect(started).toHaveLength(2);
  });

  it('starts none after ten, none when all is done, and none where the host stops', async () => {
    const { started, runs } = startedRuns();
    const { app, jobs } = await jobService({ runs });
    await jobs.run(over, 10);
    await jobs.run();
    const stop = { signal: over, noteHandedOver: () => {} };
    await jobsOn(app, { runs, hostStop: { find: () => stop, with: () => over } }).run(over);
    expect(started).toEqual([]);
  });

  it.each([
    [undefined, 0],
    [{ 'detail-type': 'Scheduled Event' }, 0],
    [{ link: 3 }, 3],
    [{ link: '3' }, 0],
    [null, 0],
  ])('reads from %j that it is number %i', (event, link) => {
    expect(linkOf(event)).toBe(link);
  });
});

describe('a pass started on Lambda [K4]', () => {
  const credentials = { accessKeyId: 'lambda-key', secretAccessKey: 'lambda-secret' };
  const region = 'eu-west-1';
  const functionName = 'riptide-test-schedulesRunJobs';
  const silent = { logger: { error: () => {} }, count: () => {} };

  const onLambda = async () => {
    const lambda = await lambdaEndpoint({ ...credentials, region }, functionName);
    const client = { endpoint: lambda.url, region, credentials };
    const runs = createStartRun({
      name: 'run-jobs',
      hostRuns: { find: () => undefined },
      lambda: { functionName, client },
      telemetry: silent,
    });
    return { lambda, runs };
  };

  it('is one asynchronous call of the schedule’s function, with its number in the chain', async () => {
    const { lambda, runs } = await onLambda();
    const { jobs } = await jobService({ runs });
    await jobs.start(counting(1));
    await jobs.run(AbortSignal.abort(), 2);
    expect(lambda.invocations).toEqual([
      { functionName, type: 'Event', body: '' },
      { functionName, type: 'Event', body: '{"link":3}' },
    ]);
  });

  it('that Lambda refuses is no failure: the job is kept, and the clock comes', async () => {
    const { lambda, runs } = await onLambda();
    lambda.answer(500, 500);
    const { app, jobs } = await jobService({ runs });
    const { id } = await jobs.start(counting(1));
    expect(await storedJob(app, id)).toMatchObject({ status: 'queued' });
    await endLease(app, id);
    expect(await jobs.run()).toMatchObject({ done: 1 });
  });
});

describe('a host that stops [K4 K7]', () => {
  it('hands its jobs over: others go on with them at once, and no try was lost', async () => {
    const stopping = new AbortController();
    let handedOver = 0;
    const stop = {
      signal: stopping.signal,
      noteHandedOver: () => {
        handedOver++;
      },
    };
    const hostStop = { find: () => stop, with: (signal: AbortSignal) => AbortSignal.any([signal, stop.signal]) };
    const hook: StepHook = async (at, _job, signal) => {
      if (at !== 1) return;
      stopping.abort();
      signal.throwIfAborted();
    };
    const { app, jobs } = await jobService({ hook, hostStop });
    const { id } = await jobs.start(counting(4));
    const inline = await jobs.start(counting(4, { inlineMs: 60_000, opId: newUlid(1) }));
    expect(inline).toMatchObject({ status: 'running', cursor: 1, attempts: 0 });
    expect(await jobs.run(hostStop.with(new AbortController().signal))).toMatchObject({ finished: false });
    expect(handedOver).toBe(1);
    const others = jobsOn(app);
    expect(await others.run()).toMatchObject({ done: 2, finished: true });
    expect(await storedJob(app, id)).toMatchObject({ status: 'done', result: { counted: 4 } });
  });
});
