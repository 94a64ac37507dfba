/** Invalidation over HTTP: of a tenant's own cache, and by administration. */
import { beforeAll, describe, expect, it } from 'vitest';
import { InvalidateCacheResponse } from '../../lib/cache/invalidation/invalidate-contract.ts';
import { newUlid } from '../../lib/ids.ts';
import { ADMIN_KEY, newTenant, type TestTenant } from '../support/app.ts';
import { type Door, type DoorReply, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { auditedActions } from '../support/tenant-state.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});

const post = (key: string, target: string, body: object) =>
  door.call({
    method: 'POST',
    target,
    key,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const own = (tenant: TestTenant, body: object, query = '') => post(tenant.key, `/invalidate${query}`, body);
const admin = (body: object, query = '') => post(ADMIN_KEY, `/admin/cache/invalidate${query}`, body);
const jsonOf = (reply: DoorReply) => JSON.parse(reply.body.toString());
const resultOf = (reply: DoorReply) => {
  expect(reply.status).toBe(200);
  return InvalidateCacheResponse.strict().parse(jsonOf(reply));
};
const put = async ({ key }: TestTenant, path: string, tags = 'red') => {
  const headers = { 'content-type': 'text/plain', 'riptide-tags': tags };
  expect((await door.call({ method: 'PUT', target: `/cache/${path}`, key, headers, body: 'v' })).status).toBe(201);
};
const status = async ({ key }: TestTenant, path: string) => (await door.call({ target: `/cache/${path}`, key })).status;

describe('POST /invalidate [C8]', () => {
  it('invalidates what it names, and says how many those were', async () => {
    const tenant = await newTenant(door.app);
    for (const path of ['ns/a/1', 'ns/a/2', 'ns/b', 'other/a/1']) await put(tenant, path);
    const prefix = { namespace: 'ns', prefix: 'a/' };
    expect(resultOf(await own(tenant, prefix, '?dry_run=true'))).toEqual({ would_invalidate: 2, exact: true });
    expect(resultOf(await own(tenant, prefix))).toEqual({ invalidated: 2, exact: true });
    expect([await status(tenant, 'ns/a/1'), await status(tenant, 'ns/b')]).toEqual([404, 200]);
    expect(resultOf(await own(tenant, { namespace: 'ns', keys: ['b', 'b'] }))).toMatchObject({ invalidated: 1 });
    expect(resultOf(await own(tenant, { tags: ['red', 'red'] }))).toMatchObject({
      items: [{ tag: 'red', invalidated: 1 }],
    });
    expect(await status(tenant, 'other/a/1')).toBe(404);
  });

  it('answers 202 for a glob that begins with a wildcard: the job tells its count to who may follow it', async () => {
    const tenant = await newTenant(door.app);
    for (const path of ['ns/1.css', 'ns/1.html']) await put(tenant, path);
    const reply = await own(tenant, { namespace: 'ns', glob: '*.css' });
    expect(reply.status).toBe(202);
    const { job_id } = jsonOf(reply);
    expect(reply.headers.location).toBe(`/jobs/${job_id}`);
    const job = jsonOf(await door.call({ target: `/jobs/${job_id}`, key: tenant.key }));
    expect(job).toMatchObject({ kind: 'invalidate-cache', status: 'done', result: { invalidated: 1, exact: true } });
    const other = await newTenant(door.app);
    expectProblem(await door.call({ target: `/jobs/${job_id}`, key: other.key }), '404 job_not_found');
  });

  it.each([
    {},
    { all: false },
    { namespace: 'ns', tags: ['a'] },
    { namespace: 'ns', all: true },
    { keys: ['a'] },
    { prefix: 'a' },
    { namespace: 'ns', keys: ['a'], prefix: 'a' },
    { namespace: 'ns', prefix: '' },
    { namespace: 'n:s' },
    { namespace: 'ns', glob: '[z-a]' },
    { namespace: 'ns', glob: '[' },
    { namespace: 'ns', keys: [] },
    { tags: ['a,b'] },
    { namespace: 'ns', keys: ['\ud800'] },
    { tenant_id: 'tenant-01k0xw6h9te3m8q5v2r7c4n1ba', all: true },
  ])('refuses %j: it selects nothing, or more than one thing', async (body) => {
    expectProblem(await own(await newTenant(door.app), body), '400 invalid_request');
  });

  it('asks the policies about all it may touch', async () => {
    const statements = [
      { effect: 'deny' as const, actions: ['cache:write'], resources: ['cache/ns/frozen/*', 'cache/*/x'] },
    ];
    const tenant = await newTenant(door.app);
    await door.app.tenantPolicies.set(tenant.tenant.id, { default: 'allow', statements }, {});
    const denied = [
      { all: true },
      { tags: ['red'] },
      { namespace: 'ns' },
      { namespace: 'ns', prefix: 'fro' },
      { namespace: 'ns', prefix: 'frozen/a' },
      { namespace: 'ns', glob: '*y' },
      { namespace: 'ns', keys: ['a', 'frozen/b'] },
    ];
    for (const body of denied) expectProblem(await own(tenant, body), '403 access_denied');
    expect((await own(tenant, { namespace: 'ns', keys: ['a', 'b'] })).status).toBe(200);
  });
});

describe('POST /admin/cache/invalidate [A9]', () => {
  it("invalidates a tenant's entries, unmetered, and is in the audit log; a dry run is not", async () => {
    const tenant = await newTenant(door.app);
    const { id } = tenant.tenant;
    for (const path of ['ns/a', 'ns/b', 'other/a']) await put(tenant, path);
    const body = { tenant_id: id, namespace: 'ns' };
    expect(resultOf(await admin(body, '?dry_run=true'))).toEqual({ would_invalidate: 2, exact: true });
    expect(resultOf(await admin(body))).toEqual({ invalidated: 2, exact: true });
    expect([await status(tenant, 'ns/a'), await status(tenant, 'other/a')]).toEqual([404, 200]);
    expect(resultOf(await admin({ tenant_id: id, all: true }))).toMatchObject({ exact: false });
    const actions = await auditedActions(door.app, id);
    expect(actions.filter((action) => action === 'cache.invalidate')).toHaveLength(2);
  });

  it('of a suspended tenant too; of one that is not there: 404', async () => {
    const tenant = await newTenant(door.app);
    await put(tenant, 'ns/a');
    await door.app.tenantAdmin.suspend(tenant.tenant.id, {});
    const reply = await admin({ tenant_id: tenant.tenant.id, namespace: 'ns', keys: ['a'] });
    expect(resultOf(reply)).toEqual({ invalidated: 1, exact: true });
    const nobody = `tenant-${newUlid(1)}`;
    expectProblem(await admin({ tenant_id: nobody, all: true }), '404 tenant_not_found');
    expectProblem(await admin({ all: true }), '400 invalid_request');
  });
});
