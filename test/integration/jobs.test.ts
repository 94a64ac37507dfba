/** Long work: started, run in steps, followed, cancelled, forgotten. */
import { beforeAll, describe, expect, it } from 'vitest';
import { InvalidRequestError, KeyRefusedError, RedisUnavailableError } from '../../lib/errors.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenantRequest, TRANSPORTS } from '../support/app.ts';
import { counting, endLease, jobService, KIND, namedJobs, type StepHook, storedJob } from '../support/job-service.ts';

const DAY_MS = 86_400_000;
const NOTHING = { slices: 0, done: 0, failed: 0, removed: 0, finished: true };

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

describe.each(TRANSPORTS)('a job, over %s [K4]', (transport) => {
  it('waits, runs step by step, and is done with its result', async () => {
    const seen: unknown[] = [];
    const hook: StepHook = async (at, { id }) => {
      const { status, progress, attempts, started_at } = await jobs.get(id);
      seen.push({ at, status, done: progress.done, attempts, started: started_at !== undefined });
    };
    const { app, jobs } = await jobService({ transport, hook });
    const { id } = await jobs.start(counting(3));
    expect(await jobs.get(id)).toMatchObject({
      id,
      kind: KIND,
      tenant_id: null,
      status: 'queued',
      progress: { done: 0, total: null, unit: 'steps' },
      attempts: 0,
    });
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1, done: 1 });
    expect(seen).toEqual([0, 1, 2].map((at) => ({ at, status: 'running', done: at, attempts: 1, started: true })));
    const job = await jobs.get(id);
    expect(job).toMatchObject({ status: 'done', result: { counted: 3 }, progress: { done: 3, total: 3 } });
    expect(Date.parse(job.ended_at ?? '')).toBeGreaterThanOrEqual(Date.parse(job.started_at ?? ''));
    expect(await namedJobs(app)).toEqual({ due: [], ended: [id], listed: [`a\0${id}`, `s\0done\0${id}`] });
    expect(await jobs.run()).toEqual(NOTHING);
  });

  it('is listed newest first, by tenant and status, in pages', async () => {
    const { app, jobs } = await jobService({ transport });
    const [mine, other] = await Promise.all([1, 2].map(async () => (await app.tenants.create(newTenantRequest())).id));
    if (mine === undefined || other === undefined) throw new Error('two tenants');
    const start = async (tenantId: TenantId | null, ms: number) =>
      (await jobs.start(counting(1, { tenantId, opId: newUlid(1_700_000_000_000 + ms) }))).id;
    const ids = [await start(mine, 1), await start(null, 2), await start(mine, 3), await start(other, 4)];
    await jobs.cancel(ids[0] ?? '', {});
    const listed = async (query: object) => (await jobs.list({ limit: 100, ...query })).items.map(({ id }) => id);
    expect(await listed({})).toEqual([...ids].reverse());
    expect(await listed({ tenantId: mine })).toEqual([ids[2], ids[0]]);
    expect(await listed({ status: 'queued' })).toEqual([ids[3], ids[2], ids[1]]);
    expect(await listed({ status: 'queued', tenantId: mine })).toEqual([ids[2]]);
    expect(await listed({ status: 'done' })).toEqual([]);
    const pages: unknown[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await jobs.list({ limit: 2, cursor });
      pages.push(page.items.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(pages).toEqual([
      [ids[3], ids[2]],
      [ids[1], ids[0]],
    ]);
  });

  it('that is cancelled ends after the step under way, and is told of in the audit log once', async () => {
    const counted: number[] = [];
    const hook: StepHook = async (at, { id }) => {
      counted.push(at);
      if (at === 1) for (let again = 0; again < 2; again++) await jobs.cancel(id, {});
    };
    const { app, jobs, keys } = await jobService({ transport, hook });
    const { id } = await jobs.start(counting(5));
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1 });
    expect(counted).toEqual([0, 1]);
    expect(await jobs.get(id)).toMatchObject({ status: 'cancelled', progress: { done: 1, total: 5 } });
    expect(await namedJobs(app)).toEqual({ due: [], ended: [id], listed: [`a\0${id}`, `s\0cancelled\0${id}`] });
    expect(await app.redis.send(['LLEN', keys.auditPending()], { kind: 'read' })).toBe(1);
    expect(await jobs.run()).toEqual(NOTHING);
  });

  it('that has ended cannot be cancelled, and one that is not there neither', async () => {
    const { jobs } = await jobService({ transport });
    const { id } = await jobs.start(counting(1, { inlineMs: 60_000 }));
    await expect(jobs.cancel(id, {})).rejects.toMatchObject({ code: 'job_ended', status: 409 });
    await expect(jobs.cancel(`job-${newUlid(1)}`, {})).rejects.toMatchObject({ code: 'job_not_found' });
  });
});

describe('starting [K4]', () => {
  it('twice under one operation id is one job', async () => {
    const { app, jobs } = await jobService();
    const opId = newUlid(Date.now());
    const [one, two] = await Promise.all([1, 2].map(() => jobs.start(counting(2, { opId }))));
    expect(one).toEqual(two);
    await jobs.run();
    expect(await jobs.start(counting(2, { opId, inlineMs: 60_000 }))).toMatchObject({ status: 'done' });
    expect((await namedJobs(app)).ended).toEqual([`job-${opId}`]);
  });

  it('with time to run at once ends what is small, and leaves the rest to the schedule', async () => {
    const clock = { nowMs: 1_000_000 };
    const hook: StepHook = () => {
      clock.nowMs += 10;
    };
    const { jobs } = await jobService({ hook, now: () => clock.nowMs });
    expect(await jobs.start(counting(3, { inlineMs: 1_000 }))).toMatchObject({ status: 'done' });
    const large = await jobs.start(counting(5, { inlineMs: 15, opId: newUlid(1) }));
    expect(large).toMatchObject({ status: 'running', cursor: 2, attempts: 0 });
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1, done: 1 });
    expect(await jobs.get(large.id)).toMatchObject({ status: 'done', result: { counted: 5 } });
  });

  it('is not undone by what goes wrong at once', async () => {
    let failing = true;
    const failpoint = ({ name, phase }: { name: string; phase: string }) => {
      if (failing && name === 'claim-job' && phase === 'before') throw new RedisUnavailableError('refused');
    };
    const { jobs } = await jobService({ failpoint });
    const job = await jobs.start(counting(1, { inlineMs: 60_000 }));
    expect(job.status).toBe('queued');
    failing = false;
    expect(await jobs.run()).toMatchObject({ done: 1 });
  });

  it('is refused while 100 jobs of the tenant are open; others are not', async () => {
    const { app, jobs } = await jobService();
    const tenants = await Promise.all([1, 2].map(async () => (await app.tenants.create(newTenantRequest())).id));
    const [full = null, other = null] = tenants;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 110 }, () => jobs.start(counting(1, { tenantId: full }))),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(10).fill('job_limit_reached'));
    await jobs.start(counting(1, { tenantId: other }));
    await jobs.start(counting(1));
    expect(await jobs.run()).toMatchObject({ done: 102 });
    await jobs.start(counting(1, { tenantId: full }));
  });

  it('takes 256 KiB of parameters', async () => {
    const { jobs } = await jobService();
    await expect(jobs.start(counting(1, { params: 'x'.repeat(262_144) }))).rejects.toMatchObject({
      code: 'body_too_large',
    });
  });
});

describe('a step that fails [K4]', () => {
  it('in passing is tried again, later and later, five times in all; then the job has failed', async () => {
    const tries: number[] = [];
    const hook: StepHook = (at, { attempts }) => {
      if (at !== 1) return;
      tries.push(attempts);
      throw new RedisUnavailableError('The store is away');
    };
    const { app, jobs, keys } = await jobService({ hook });
    const { id } = await jobs.start(counting(3));
    const waits: number[] = [];
    for (let pass = 1; pass <= 5; pass++) {
      expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1, failed: pass === 5 ? 1 : 0 });
      expect(await jobs.run()).toEqual(NOTHING);
      const dueMs = Number(await app.redis.send(['ZSCORE', keys.jobsDue(), id], { kind: 'read' }));
      waits.push(dueMs - ((await storedJob(app, id)).updatedAtMs ?? 0));
      await endLease(app, id);
    }
    expect(tries).toEqual([1, 2, 3, 4, 5]);
    expect(waits.slice(0, 4)).toEqual([5_000, 20_000, 80_000, 320_000]);
    expect(await jobs.get(id)).toMatchObject({
      status: 'failed',
      progress: { done: 1 },
      problem: { code: 'store_unavailable', detail: 'The store is away' },
    });
    expect(await jobs.run()).toEqual(NOTHING);
  });

  it('and then goes well has its tries back', async () => {
    const failing = new Set([0, 1, 2, 3, 4, 5, 6]);
    const hook: StepHook = (at) => {
      if (failing.delete(at)) throw new RedisUnavailableError('away');
    };
    const { app, jobs } = await jobService({ hook });
    const { id } = await jobs.start(counting(8));
    for (let pass = 1; pass <= 8; pass++) {
      await jobs.run();
      await endLease(app, id);
    }
    expect(await jobs.get(id)).toMatchObject({ status: 'done', result: { counted: 8 } });
  });

  it.each([
    {
      error: new InvalidRequestError('There is no such export'),
      code: 'invalid_request',
      detail: 'There is no such export',
    },
    { error: new KeyRefusedError('key_disabled', 'Disabled'), code: 'key_refused', detail: 'Disabled' },
    { error: new TypeError('secret of a tenant'), code: 'internal', detail: 'Something went wrong on our side' },
  ])('for good fails the job at once: $code', async ({ error, code, detail }) => {
    const hook: StepHook = () => {
      throw error;
    };
    const { app, jobs } = await jobService({ hook });
    const { id } = await jobs.start(counting(3));
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1, failed: 1 });
    expect(await jobs.get(id)).toMatchObject({ status: 'failed', problem: { code, detail } });
    expect(await namedJobs(app)).toEqual({ due: [], ended: [id], listed: [`a\0${id}`, `s\0failed\0${id}`] });
  });

  it('is one of a kind this version does not know: that may be known in a moment', async () => {
    const { app, jobs } = await jobService();
    const { id } = await jobs.start(counting(1, { kind: 'of-tomorrow' }));
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1 });
    for (let pass = 2; pass <= 5; pass++) {
      await endLease(app, id);
      await jobs.run();
    }
    expect(await jobs.get(id)).toMatchObject({ status: 'failed', problem: { code: 'job_kind_unknown' } });
  });
});

describe('time that is up [K4]', () => {
  it('between two steps leaves the job due at once', async () => {
    const deadline = new AbortController();
    const hook: StepHook = (at) => {
      if (at === 1) deadline.abort();
    };
    const { app, jobs } = await jobService({ hook });
    const { id } = await jobs.start(counting(4));
    expect(await jobs.run(deadline.signal)).toEqual({ ...NOTHING, slices: 1, finished: false });
    expect(await storedJob(app, id)).toMatchObject({ status: 'running', cursor: 2, attempts: 0 });
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1, done: 1 });
  });

  it('within a step counts as no try', async () => {
    const deadline = new AbortController();
    const hook: StepHook = (at, _job, signal) => {
      if (at !== 1 || deadline.signal.aborted) return;
      deadline.abort();
      signal.throwIfAborted();
    };
    const { app, jobs } = await jobService({ hook });
    const { id } = await jobs.start(counting(4));
    expect(await jobs.run(deadline.signal)).toEqual({ ...NOTHING, slices: 1, finished: false });
    expect(await storedJob(app, id)).toMatchObject({ status: 'running', cursor: 1, attempts: 0 });
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 1, done: 1 });
  });

  it('of one job gives the others their turn', async () => {
    const clock = { nowMs: 0 };
    const order: string[] = [];
    const hook: StepHook = (_at, { id }) => {
      order.push(id);
      clock.nowMs += 20_000;
    };
    const { jobs } = await jobService({ hook, now: () => clock.nowMs });
    const ids = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => (await jobs.start(counting(2, { opId: newUlid(i) }))).id),
    );
    expect(await jobs.run()).toEqual({ ...NOTHING, slices: 12, done: 6 });
    expect(new Set(order.slice(0, 6))).toEqual(new Set(ids));
  });
});

describe('ended jobs [K4]', () => {
  it('are forgotten after 7 days, and not before', async () => {
    const { app, jobs, keys } = await jobService();
    const [old, young] = await Promise.all([1, 2].map(() => jobs.start(counting(1, { inlineMs: 60_000 }))));
    if (old === undefined || young === undefined) throw new Error('two jobs');
    const age = (id: string, ms: number) => app.redis.send(['ZINCRBY', keys.jobsEnded(), -ms, id], { kind: 'write' });
    await age(old.id, 7 * DAY_MS + 1_000);
    await age(young.id, 7 * DAY_MS - 60_000);
    expect(await jobs.run()).toEqual({ ...NOTHING, removed: 1 });
    await expect(jobs.get(old.id)).rejects.toMatchObject({ code: 'job_not_found' });
    expect((await jobs.list({ limit: 10 })).items.map(({ id }) => id)).toEqual([young.id]);
    expect(await namedJobs(app)).toMatchObject({ ended: [young.id] });
  });

  it('of more than 10,000 the oldest are forgotten', async () => {
    const { app, jobs, keys } = await jobService();
    const { id } = await jobs.start(counting(1, { inlineMs: 60_000 }));
    const filled = Array.from({ length: 10_150 }, (_, i) => [Date.now() + i, `job-${newUlid(i)}`]).flat();
    for (let from = 0; from < filled.length; from += 5_000)
      await app.redis.send(['ZADD', keys.jobsEnded(), ...filled.slice(from, from + 5_000)], { kind: 'write' });
    expect(await jobs.run()).toMatchObject({ removed: 1, finished: true });
    await expect(jobs.get(id)).rejects.toMatchObject({ code: 'job_not_found' });
    expect(await app.redis.send(['ZCARD', keys.jobsEnded()], { kind: 'read' })).toBe(10_000);
  });
});

describe('a damaged job [K4]', () => {
  it('holds up no other', async () => {
    const { app, jobs, keys } = await jobService();
    const ids = await Promise.all([1, 2, 3].map(async () => (await jobs.start(counting(1))).id));
    const [headless = '', bodiless = '', well = ''] = ids;
    await app.redis.send(['SET', keys.job(headless), 'nonsense'], { kind: 'write' });
    const text = String(await app.redis.send(['GET', keys.job(bodiless)], { kind: 'read' }));
    await app.redis.send(['SET', keys.job(bodiless), `${text.slice(0, text.indexOf('\n'))}\n{`], { kind: 'write' });
    await jobs.run().catch(() => {});
    expect((await storedJob(app, well)).status).toBe('done');
    expect((await jobs.list({ limit: 10 })).items.map(({ id }) => id)).toEqual([well]);
  });
});
