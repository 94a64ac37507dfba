/** Steps that tell how far they are while they run: what they tell is kept, their lease is renewed, and only theirs. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { ReportProgress } from '../../lib/jobs/job.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { counting, endLease, jobService, jobsOn, type StepHook, storedJob } from '../support/job-service.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const bytes = (done: number) => ({ done, total: 100, unit: 'bytes' });
const aborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe.each(TRANSPORTS)('a step that reports, over %s [K4]', (transport) => {
  it('is seen to come on, at most every five seconds, with the time it may still take', async () => {
    const clock = { nowMs: Date.now() };
    const seen: unknown[] = [];
    const hook: StepHook = async (_at, { id }, _signal, report) => {
      for (const done of [10, 20, 30, 40]) {
        clock.nowMs += 2_500;
        await report(bytes(done));
        const { progress, percent, eta_seconds, heartbeat_at, updated_at } = await jobs.get(id);
        expect(heartbeat_at).toBe(updated_at);
        seen.push([progress.done, percent, eta_seconds !== null]);
      }
    };
    const { jobs } = await jobService({ transport, hook, now: () => clock.nowMs });
    await jobs.start(counting(1));
    expect(await jobs.run()).toMatchObject({ done: 1 });
    expect(seen).toEqual([
      [0, null, false],
      [20, 20, true],
      [20, 20, true],
      [40, 40, true],
    ]);
  });

  it('keeps its lease, far beyond the time a silent one has, and nobody else gets the job', async () => {
    const clock = { nowMs: 0 };
    const dues: number[] = [];
    const hook: StepHook = async (_at, { id }, _signal, report) => {
      for (let done = 1; done <= 5; done++) {
        clock.nowMs += 5_000;
        // As if so much of the lease had passed.
        await app.redis.send(['ZINCRBY', keys.jobsDue(), -29_000, id], { kind: 'write' });
        await report(bytes(done));
        expect(await jobsOn(app).run()).toMatchObject({ slices: 0 });
        dues.push(Number(await app.redis.send(['ZSCORE', keys.jobsDue(), id], { kind: 'read' })) - Date.now());
      }
    };
    const { app, jobs, keys } = await jobService({ transport, hook, now: () => clock.nowMs });
    await jobs.start(counting(1));
    expect(await jobs.run()).toMatchObject({ done: 1 });
    for (const ms of dues) expect(ms).toBeGreaterThan(15_000);
  });

  it('that was cancelled is told to end with its next report, and saves nothing', async () => {
    const clock = { nowMs: 0 };
    const hook: StepHook = async (_at, { id }, signal, report) => {
      await jobs.cancel(id, {});
      clock.nowMs += 5_000;
      const ended = aborted(signal);
      await report(bytes(50));
      await ended;
    };
    const { app, jobs } = await jobService({ transport, hook, now: () => clock.nowMs });
    const { id } = await jobs.start(counting(2));
    expect(await jobs.run()).toMatchObject({ slices: 1, done: 0, failed: 0 });
    expect(await storedJob(app, id)).toMatchObject({ status: 'cancelled', progress: { done: 0, unit: 'steps' } });
  });

  it('that lost its lease changes nothing of who has it now, and is told to end', async () => {
    const clock = { nowMs: 0 };
    const hook: StepHook = async (_at, { id }, signal, report) => {
      await endLease(app, id);
      expect(await jobsOn(app).run()).toMatchObject({ done: 1 });
      clock.nowMs += 5_000;
      const ended = aborted(signal);
      await report(bytes(50));
      await ended;
    };
    const { app, jobs } = await jobService({ transport, hook, now: () => clock.nowMs });
    const { id } = await jobs.start(counting(1));
    expect(await jobs.run()).toMatchObject({ slices: 1, done: 0, failed: 0 });
    expect(await storedJob(app, id)).toMatchObject({ status: 'done', progress: { done: 1 } });
  });
});

describe('reports that go wrong [K4]', () => {
  it('end nothing: the step goes on, and the next one is kept', async () => {
    const clock = { nowMs: 0 };
    let refusals = 1;
    const failpoint = ({ name, phase }: { name: string; phase: string }) => {
      if (name === 'heartbeat-job' && phase === 'before' && refusals-- > 0) throw new Error('refused');
    };
    const seen: number[] = [];
    const hook: StepHook = async (_at, { id }, _signal, report) => {
      for (const done of [10, 20]) {
        clock.nowMs += 5_000;
        await report(bytes(done));
        seen.push((await jobs.get(id)).progress.done);
      }
    };
    const { jobs } = await jobService({ failpoint, hook, now: () => clock.nowMs });
    await jobs.start(counting(1));
    expect(await jobs.run()).toMatchObject({ done: 1 });
    expect(seen).toEqual([0, 20]);
  });

  it('after the step has ended are nobody’s business', async () => {
    const clock = { nowMs: 0 };
    const late: ReportProgress[] = [];
    const hook: StepHook = (_at, _job, _signal, report) => void late.push(report);
    const { app, jobs } = await jobService({ hook, now: () => clock.nowMs });
    const { id } = await jobs.start(counting(1));
    await jobs.run();
    const done = await storedJob(app, id);
    clock.nowMs += 60_000;
    await late[0]?.(bytes(1));
    expect(await storedJob(app, id)).toEqual(done);
  });

  it('that are still on their way are waited for before the step is saved', async () => {
    const clock = { nowMs: 0 };
    const order: string[] = [];
    const failpoint = ({ name, phase }: { name: string; phase: string }) => {
      if (phase === 'after' && /^(heartbeat|save)-job$/.test(name)) order.push(name);
    };
    const hook: StepHook = (_at, _job, _signal, report) => {
      clock.nowMs += 5_000;
      void report(bytes(1));
    };
    const { jobs } = await jobService({ failpoint, hook, now: () => clock.nowMs });
    await jobs.start(counting(1));
    await jobs.run();
    expect(order).toEqual(['heartbeat-job', 'save-job']);
  });

  it('do not keep a step alive that has gone silent', async () => {
    const clock = { nowMs: 0 };
    const hook: StepHook = async (_at, { attempts }, signal, report) => {
      if (attempts > 1) return;
      clock.nowMs += 5_000;
      await report(bytes(1));
      await aborted(signal);
    };
    const { app, jobs } = await jobService({ hook, leaseMs: 50, now: () => clock.nowMs });
    const { id } = await jobs.start(counting(1));
    expect(await jobs.run()).toMatchObject({ slices: 1, done: 0, failed: 0 });
    // The try counts, and what is done again is not counted as done.
    expect(await storedJob(app, id)).toMatchObject({ status: 'running', attempts: 1, progress: { done: 0 } });
    await endLease(app, id);
    expect(await jobs.run()).toMatchObject({ done: 1 });
  });

  it('of a process that is killed are the last heard of it: whoever finds the job goes on', async () => {
    const clock = { nowMs: 0 };
    let killed = false;
    const failpoint = () => {
      if (killed) throw new Error('killed');
    };
    const hook: StepHook = async (at, _job, _signal, report) => {
      clock.nowMs += 5_000;
      await report(bytes(7));
      if (at === 1) killed = true;
    };
    const { app, jobs } = await jobService({ failpoint, hook, now: () => clock.nowMs });
    const { id } = await jobs.start(counting(3));
    await jobs.run().catch(() => {});
    killed = false;
    expect(await storedJob(app, id)).toMatchObject({ status: 'running', cursor: 1, progress: { unit: 'bytes' } });
    expect(await jobsOn(app).run()).toMatchObject({ slices: 0 });
    await endLease(app, id);
    const finder = jobsOn(app);
    await vi.waitUntil(async () => (await finder.run()).done === 1, { timeout: 5_000 });
    expect(await storedJob(app, id)).toMatchObject({ status: 'done', result: { counted: 3 } });
  });
});
