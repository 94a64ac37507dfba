/** Long work as an administrator and a tenant follow it: over HTTP. */
import { beforeAll, describe, expect, it } from 'vitest';
import { handler as runJobs } from '../../functions/schedules/run-jobs.ts';
import { createLambdaContext } from '../../infra/local/host/lambda-context.ts';
import { readServiceMap } from '../../infra/local/service-map.ts';
import { newUlid } from '../../lib/ids.ts';
import { JobListResponse, JobResponse } from '../../lib/jobs/contract.ts';
import { jobAccepted } from '../../lib/jobs/job-accepted.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { ADMIN_KEY, newTenant } from '../support/app.ts';
import { type Door, type DoorReply, openDoor } from '../support/door.ts';
import { counting, jobsOn } from '../support/job-service.ts';
import { expectProblem } from '../support/problem.ts';
import { auditedActions } from '../support/tenant-state.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
  telemetry.logger.setLogLevel('SILENT');
});

const admin = (target: string, method = 'GET', headers: Record<string, string> = {}) =>
  door.call({ target, method, key: ADMIN_KEY, headers });
const jsonOf = (reply: DoorReply) => JSON.parse(reply.body.toString());
const NO_JOB = `job-${newUlid(1)}`;

describe('GET /admin/jobs/{id} [K4 A14]', () => {
  it('tells how far a job is, and nothing of its parameters', async () => {
    const jobs = jobsOn(door.app);
    const { tenant } = await newTenant(door.app);
    const { id } = await jobs.start(counting(2, { tenantId: tenant.id as never, inlineMs: 60_000 }));
    const { location } = jobAccepted({ id }, 'admin').headers ?? {};
    const reply = await admin(String(location));
    expect(reply.status).toBe(200);
    expect(JobResponse.strict().parse(jsonOf(reply))).toMatchObject({
      id,
      tenant_id: tenant.id,
      status: 'done',
      progress: { done: 2, total: 2, unit: 'steps' },
      result: { counted: 2 },
    });
  });

  it('of no such job: 404; of what is no id: 400', async () => {
    expectProblem(await admin(`/admin/jobs/${NO_JOB}`), '404 job_not_found');
    expectProblem(await admin('/admin/jobs/job-1'), '400 invalid_request');
  });
});

describe('GET /admin/jobs [K4 A14]', () => {
  it('lists by tenant and status, in pages', async () => {
    const jobs = jobsOn(door.app);
    const { caller } = await newTenant(door.app);
    const started = [];
    for (let i = 0; i < 3; i++)
      started.push(
        (await jobs.start(counting(1, { tenantId: caller.tenantId, opId: newUlid(1_700_000_000_000 + i) }))).id,
      );
    const list = async (query: string) =>
      JobListResponse.parse(jsonOf(await admin(`/admin/jobs?tenant_id=${caller.tenantId}&${query}`)));
    const first = await list('limit=2&status=queued');
    expect(first.items.map(({ id }) => id)).toEqual([started[2], started[1]]);
    const second = await list(`limit=2&status=queued&cursor=${first.next_cursor}`);
    expect(second).toMatchObject({ items: [{ id: started[0] }], next_cursor: null });
    expect((await list('status=done')).items).toEqual([]);
  });

  it.each(['status=lost', 'limit=0', 'limit=101', 'cursor=x', 'tenant_id=tenant-1', 'kind=x'])(
    'refuses ?%s',
    async (query) => {
      expectProblem(await admin(`/admin/jobs?${query}`), '400 invalid_request');
    },
  );
});

describe('POST /admin/jobs/{id}/cancel [K4 A14 T11]', () => {
  it('ends it, again changes nothing, and the audit log tells of it once', async () => {
    const { caller } = await newTenant(door.app);
    const { id } = await jobsOn(door.app).start(counting(1, { tenantId: caller.tenantId }));
    const key = { 'idempotency-key': newUlid(Date.now()) };
    const replies = [await admin(`/admin/jobs/${id}/cancel`, 'POST', key)];
    replies.push(await admin(`/admin/jobs/${id}/cancel`, 'POST', key), await admin(`/admin/jobs/${id}/cancel`, 'POST'));
    for (const reply of replies) {
      expect(reply.status).toBe(200);
      expect(jsonOf(reply)).toMatchObject({ id, status: 'cancelled' });
    }
    expect((await auditedActions(door.app, caller.tenantId)).filter((action) => action === 'job.cancel')).toHaveLength(
      1,
    );
  });

  it('of one that is done: 409', async () => {
    const { id } = await jobsOn(door.app).start(counting(1, { inlineMs: 60_000 }));
    expectProblem(await admin(`/admin/jobs/${id}/cancel`, 'POST'), '409 job_ended');
  });
});

describe('GET /jobs/{id} [K4 T2 A14]', () => {
  it("is the tenant's own job, whatever its key may do; another tenant's is not there, alike", async () => {
    const [owner, other] = [await newTenant(door.app), await newTenant(door.app)];
    const jobs = jobsOn(door.app);
    const { id } = await jobs.start(counting(1, { tenantId: owner.caller.tenantId }));
    const ofDeployment = await jobs.start(counting(1));
    const scoped = await door.app.apiKeys.create(owner.caller.tenantId, { scopes: ['cache:read'], expires_at: null });
    const { location } = jobAccepted({ id }, 'tenant').headers ?? {};
    for (const key of [owner.key, scoped.key]) {
      const reply = await door.call({ target: String(location), key });
      expect(reply.status).toBe(200);
      expect(JobResponse.parse(jsonOf(reply))).toMatchObject({ id, status: 'queued', tenant_id: owner.tenant.id });
    }
    const [others, deployments, nowhere] = await Promise.all(
      [id, ofDeployment.id, NO_JOB].map((job) => door.call({ target: `/jobs/${job}`, key: other.key })),
    );
    for (const reply of [others, deployments, nowhere]) expectProblem(reply as DoorReply, '404 job_not_found');
    expect(comparable(others)).toEqual(comparable(nowhere));
    expect(comparable(deployments)).toEqual(comparable(nowhere));
  });
});

describe('the schedule [K4]', () => {
  it('runs every minute, and leaves what it cannot run for a version that can', async () => {
    const { schedules } = await readServiceMap(`${import.meta.dirname}/../../serverless.yml`);
    const entry = schedules.find(({ function: { file } }) => file.endsWith('/schedules/run-jobs.ts'));
    if (entry === undefined) throw new Error('the schedule is declared');
    const { id } = await jobsOn(door.app).start(counting(1));
    const report = await runJobs({}, createLambdaContext(entry.function, 'a-request') as never);
    expect(report).toMatchObject({ failed: 0, finished: true });
    expect(jsonOf(await admin(`/admin/jobs/${id}`))).toMatchObject({ status: 'running', attempts: 1 });
  });
});

/** Without what differs between any two answers. */
const comparable = (reply: DoorReply | undefined) => {
  const { 'x-request-id': _id, ratelimit: _left, ...headers } = reply?.headers ?? {};
  const body = reply?.body.toString('utf8').replace(/"request_id":"[^"]*"/, '');
  return { status: reply?.status, headers, body };
};
