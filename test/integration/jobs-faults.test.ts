/** Long work through kills, lost leases and several runners at once. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { counting, endLease, jobService, jobsOn, namedJobs, type StepHook, storedJob } from '../support/job-service.ts';

const STEPS = 3;
/** find, claim, a save for each step, find again. */
const CALLS = STEPS + 3;

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

/** Whoever waits at it goes on when it is opened. */
function gateOf() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** A process that ends at its n-th call: none of its calls reaches anything from there on. */
function dyingAt(n: number, moment: 'before' | 'after') {
  let calls = 0;
  let dead = false;
  return {
    isDead: () => dead,
    failpoint: ({ phase }: { phase: 'before' | 'after' }) => {
      if (phase === 'before') calls++;
      if (calls === n && phase === moment) dead = true;
      if (dead) throw new Error('killed');
    },
  };
}

describe.each(TRANSPORTS)('a process killed while it runs a job, over %s [K4]', (transport) => {
  const kills = Array.from({ length: CALLS }, (_, i) =>
    ['before', 'after'].map((moment) => ({ n: i + 1, moment })),
  ).flat();

  it.each(kills)('$moment its call $n: the next run goes on where it was saved', async ({ n, moment }) => {
    const dying = dyingAt(n, moment as 'before' | 'after');
    let armed = false;
    const { app, keys } = await jobService({
      transport,
      failpoint: (call) => (armed ? dying.failpoint(call) : undefined),
    });
    const counted: number[] = [];
    const hook: StepHook = (at) => void counted.push(at);
    const killed = jobsOn(app, { hook });
    const { id } = await killed.start(counting(STEPS));
    armed = true;
    await killed.run().catch(() => {});
    expect(dying.isDead()).toBe(true);
    armed = false;
    const savedAt = Number((await storedJob(app, id)).cursor ?? 0);
    const before = counted.length;

    await endLease(app, id);
    await jobsOn(app, { hook }).run();
    expect(await storedJob(app, id)).toMatchObject({ status: 'done', result: { counted: STEPS } });
    // From the saved cursor on, each once; at most one step was run twice.
    const after = Array.from({ length: STEPS }, (_, i) => i).filter((at) => at >= savedAt);
    expect(counted.slice(before)).toEqual(before === STEPS && savedAt === STEPS ? [] : after);
    expect(counted.length).toBeLessThanOrEqual(STEPS + 1);
    expect(await namedJobs(app)).toEqual({ due: [], ended: [id], listed: [`a\0${id}`, `s\0done\0${id}`] });
    expect(await app.redis.send(['EXISTS', keys.job(id)], { kind: 'read' })).toBe(1);
  });
});

describe.each(TRANSPORTS)('two runners, over %s [K4]', (transport) => {
  it('of which the first lost its lease: what it still saves is refused, and it stops', async () => {
    const { open, opened } = gateOf();
    const reached = gateOf();
    const { app } = await jobService({ transport });
    const first: number[] = [];
    const slow = jobsOn(app, {
      hook: async (at) => {
        first.push(at);
        reached.open();
        await opened;
      },
    });
    const { id } = await slow.start(counting(STEPS));
    const running = slow.run();
    await reached.opened;
    await endLease(app, id);
    expect(await jobsOn(app).run()).toMatchObject({ done: 1 });
    const done = await storedJob(app, id);
    open();
    expect(await running).toMatchObject({ slices: 1, done: 0, failed: 0, finished: true });
    expect(first).toEqual([0]);
    expect(await storedJob(app, id)).toEqual(done);
  });

  it('of which the second came while the lease holds: it finds nothing to do', async () => {
    const { open, opened } = gateOf();
    const reached = gateOf();
    const { app } = await jobService({ transport });
    const slow = jobsOn(app, {
      hook: async () => {
        reached.open();
        await opened;
      },
    });
    await slow.start(counting(1));
    const running = slow.run();
    await reached.opened;
    expect(await jobsOn(app).run()).toMatchObject({ slices: 0, finished: true });
    open();
    expect(await running).toMatchObject({ done: 1 });
  });
});

describe('a lease [K4]', () => {
  it('is renewed by each saved step, and is over some time after the last, by the clock of Redis', async () => {
    const left: number[] = [];
    const leaseMs = 30_000;
    const hook: StepHook = async (_at, { id }) => {
      const [time, score] = (await app.redis.sendAll([['TIME'], ['ZSCORE', keys.jobsDue(), id]], { kind: 'read' })) as [
        readonly string[],
        string,
      ];
      left.push(Number(score) - Number(time[0]) * 1_000 - Number(time[1]) / 1_000);
      // As if the step had taken so long.
      await app.redis.send(['ZINCRBY', keys.jobsDue(), -20_000, id], { kind: 'write' });
    };
    const { app, jobs, keys } = await jobService({ hook, leaseMs });
    await jobs.start(counting(4));
    expect(await jobs.run()).toMatchObject({ done: 1 });
    expect(left).toHaveLength(4);
    for (const ms of left) {
      expect(ms).toBeGreaterThan(leaseMs / 2);
      expect(ms).toBeLessThanOrEqual(leaseMs);
    }
  });

  it('that a step outlasts ends the step: it is told to stop, and that was a try', async () => {
    const hook: StepHook = async (_at, { attempts }, signal) => {
      if (attempts > 1) return;
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const { app, jobs } = await jobService({ hook, leaseMs: 50 });
    const { id } = await jobs.start(counting(1));
    expect(await jobs.run()).toMatchObject({ slices: 1, done: 0, failed: 0 });
    expect(await storedJob(app, id)).toMatchObject({ status: 'running', attempts: 1 });
    await endLease(app, id);
    expect(await jobs.run()).toMatchObject({ done: 1 });
  });

  it('taken five times by processes that end with the step is not taken a sixth: the job has failed', async () => {
    let killing = false;
    const failpoint = () => {
      if (killing) throw new Error('killed');
    };
    const begun: number[] = [];
    const { app } = await jobService({ failpoint });
    const jobs = jobsOn(app, {
      hook: (at) => {
        begun.push(at);
        if (at === 1) killing = true;
      },
    });
    const { id } = await jobs.start(counting(3));
    for (let pass = 1; pass <= 7; pass++) {
      await jobs.run().catch(() => {});
      killing = false;
      await endLease(app, id);
    }
    expect(begun).toEqual([0, 1, 1, 1, 1, 1]);
    expect(await storedJob(app, id)).toMatchObject({
      status: 'failed',
      progress: { done: 1 },
      problem: { code: 'job_abandoned' },
    });
  });
});

describe('many jobs, many runners, leases that end at any moment [K4]', () => {
  it('every step that is saved follows the one saved before, and every job is done', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async (lengths, luck) => {
          const { app } = await jobService();
          const starter = jobsOn(app);
          const ids = await Promise.all(lengths.map(async (to) => (await starter.start(counting(to))).id));
          const fences = new Map<string, number>();
          const hook: StepHook = async (_at, job) => {
            expect(job.fence).toBeGreaterThanOrEqual(fences.get(job.id) ?? 0);
            if (luck.next().value === 0) await endLease(app, job.id);
            fences.set(job.id, Math.max(job.fence, fences.get(job.id) ?? 0));
          };
          await Promise.all(Array.from({ length: 4 }, () => jobsOn(app, { hook }).run()));
          await Promise.all(ids.map((id) => endLease(app, id)));
          await starter.run();
          const jobs = await Promise.all(ids.map((id) => storedJob(app, id)));
          const expected = lengths.map((total) => ({ done: total, total, unit: 'steps' }));
          expect(jobs.map(({ progress }) => progress)).toEqual(expected);
          expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(['done']));
          expect((await namedJobs(app)).due).toEqual([]);
        },
      ),
      { numRuns: 15 },
    );
  });
});
