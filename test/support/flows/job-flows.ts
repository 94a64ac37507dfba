/** Flows of long work, and the calls each makes. */
import { expect } from 'vitest';
import { newUlid } from '../../../lib/ids.ts';
import type { RunEvent } from '../../../lib/jobs/start-run.ts';
import { newTenant, newTenantRequest } from '../app.ts';
import { counting, endLease, jobsOn, type StepHook, storedJob } from '../job-service.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const startJob: Flow = {
  name: 'start a job',
  calls: ['start-job'],
  async prepare(app, direct) {
    const opId = newUlid(Date.now());
    return {
      run: (signal) => jobsOn(app).start(counting(2, { opId, signal })),
      async verify() {
        expect(await storedJob(direct, `job-${opId}`)).toMatchObject({ status: 'queued', params: 2 });
        const { items } = await direct.jobs.list({ limit: 100 });
        expect(items.filter(({ id }) => id === `job-${opId}`)).toHaveLength(1);
      },
    };
  },
};

const startInline: Flow = {
  name: 'start a job and run it at once',
  calls: ['start-job', 'claim-job', 'save-job'],
  async prepare(app, direct) {
    const opId = newUlid(Date.now());
    const id = `job-${opId}`;
    return {
      run: (signal) => jobsOn(app).start(counting(1, { opId, inlineMs: 60_000, signal })),
      async verify() {
        // What went wrong after it was kept is left to the schedule.
        await endLease(direct, id);
        await jobsOn(direct).run();
        expect(await storedJob(direct, id)).toMatchObject({ status: 'done', result: { counted: 1 } });
      },
    };
  },
};

const runJobs: Flow = {
  name: 'run a job in steps',
  calls: ['find-due-jobs', 'claim-job', 'save-job', 'save-job', 'find-due-jobs'],
  async prepare(app, direct) {
    await jobsOn(direct).run();
    const { id } = await jobsOn(direct).start(counting(2));
    return {
      async run(signal) {
        await endLease(direct, id);
        return jobsOn(app).run(signal);
      },
      async verify() {
        const progress = { done: 2, total: 2, unit: 'steps' };
        expect(await storedJob(direct, id)).toMatchObject({ status: 'done', progress, result: { counted: 2 } });
      },
    };
  },
};

const reportProgress: Flow = {
  name: 'tell how far a step is while it runs',
  calls: ['find-due-jobs', 'claim-job', 'heartbeat-job', 'heartbeat-job', 'save-job', 'find-due-jobs'],
  async prepare(app, direct) {
    await jobsOn(direct).run();
    const { id } = await jobsOn(direct).start(counting(1));
    let ms = Date.now();
    const hook: StepHook = async (_at, _job, _signal, report) => {
      for (const done of [10, 20]) {
        ms += 5_000;
        await report({ done, total: 30, unit: 'bytes' });
      }
    };
    return {
      async run(signal) {
        await endLease(direct, id);
        return jobsOn(app, { hook, now: () => ms }).run(signal);
      },
      async verify() {
        expect(await storedJob(direct, id)).toMatchObject({ status: 'done', result: { counted: 1 } });
      },
    };
  },
};

const startNext: Flow = {
  name: 'start the next pass over the jobs',
  calls: ['SET'],
  async prepare(app, direct) {
    await direct.redis.send(['DEL', keysOf(direct).jobsTurn()], { kind: 'write' });
    const started: unknown[] = [];
    const runs = { isPossible: () => true, start: async (event?: RunEvent) => void started.push(event) };
    const over = AbortSignal.abort();
    return {
      run: (signal) => jobsOn(app, { runs }).run(AbortSignal.any([signal, over]), 3),
      async verify() {
        // A lost reply costs the turn: the clock comes.
        expect(await direct.redis.send(['EXISTS', keysOf(direct).jobsTurn()], { kind: 'read' })).toBe(1);
        expect(started.length).toBeLessThanOrEqual(1);
        expect(started.filter((event) => (event as RunEvent).link !== 4)).toEqual([]);
      },
    };
  },
};

const removeEnded: Flow = {
  name: 'forget an ended job',
  calls: ['find-due-jobs', 'remove-job'],
  async prepare(app, direct) {
    const { id } = await jobsOn(direct).start(counting(1, { inlineMs: 60_000 }));
    await direct.redis.send(['ZADD', keysOf(direct).jobsEnded(), 1, id], { kind: 'write' });
    return {
      run: (signal) => jobsOn(app).run(signal),
      verify: () => expect(direct.jobs.get(id)).rejects.toMatchObject({ code: 'job_not_found' }),
    };
  },
};

const cancelJob: Flow = {
  name: 'cancel a job',
  calls: ['GET', 'cancel-job'],
  async prepare(app, direct) {
    const { id } = await jobsOn(direct).start(counting(2));
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.jobs.cancel(id, { ulid, signal }),
      async verify() {
        expect(await storedJob(direct, id)).toMatchObject({ status: 'cancelled' });
        const list = ['LRANGE', keysOf(direct).auditPending(), 0, -1] as const;
        const entries = (await direct.redis.send(list, { kind: 'read' })) as readonly string[];
        expect(entries.filter((entry) => entry.includes(id))).toHaveLength(1);
      },
    };
  },
};

const listJobs: Flow = {
  name: 'list jobs',
  calls: ['ZRANGE', 'read-jobs'],
  async prepare(app, direct) {
    const { id: tenantId } = await direct.tenants.create(newTenantRequest());
    const { id } = await jobsOn(direct).start(counting(1, { tenantId }));
    return {
      run: (signal) => app.jobs.list({ limit: 1, tenantId }, signal),
      verify: async (result) => expect(result).toMatchObject({ items: [{ id }] }),
    };
  },
};

const getOwnJob: Flow = {
  name: "read a tenant's own job",
  calls: ['check-key', 'GET'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    const { id } = await jobsOn(direct).start(counting(1, { tenantId: caller.tenantId }));
    // So that this instance knows the tenant's context.
    await app.account.identify(caller);
    return {
      run: (signal) => app.ownJobs.get({ ...caller, signal }, id),
      verify: async (result) => expect(result).toMatchObject({ id, tenant_id: tenant.id }),
    };
  },
};

export const jobFlows: readonly Flow[] = [
  startJob,
  startInline,
  runJobs,
  reportProgress,
  startNext,
  removeEnded,
  cancelJob,
  listJobs,
  getOwnJob,
];
