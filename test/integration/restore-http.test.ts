/** Restores as an administrator asks for them: over HTTP. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { DEPLOYMENT } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { ADMIN_KEY, newTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { checkpoint, jobResult, newBucket, stateApp } from '../support/state-app.ts';
import { auditedActions } from '../support/tenant-state.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor({ PERSISTENCE_BLOBS_BUCKET: await newBucket() });
  telemetry.logger.setLogLevel('SILENT');
});

const NAME = { namespace: 'ns', key: 'k' };
const restore = (id: string, body?: object, query = '') =>
  door.call({
    method: 'POST',
    target: `/admin/state/restore/${id}${query}`,
    key: ADMIN_KEY,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });

/** @returns what its job came to. */
async function restored(id: string, body?: object, query = '') {
  const reply = await restore(id, body, query);
  expect(reply.status).toBe(202);
  const { job_id } = JSON.parse(reply.body.toString());
  expect(reply.headers.location).toBe(`/admin/jobs/${job_id}`);
  return jobResult(door.app, job_id);
}

const put = (caller: Caller, text: string) =>
  door.app.cache.set(caller, NAME, { value: Buffer.from(text), meta: { content_type: 'text/plain' } });
const textOf = async (caller: Caller) => {
  const found = await door.app.cache.get(caller, NAME);
  return found !== null && 'value' in found ? found.value.toString() : null;
};

/** A checkpoint of two tenants, whose entries changed since. */
async function changedSince() {
  const [one, other] = [(await newTenant(door.app)).caller, (await newTenant(door.app)).caller];
  await put(one, 'then');
  await put(other, 'then');
  const { checkpoint_id } = await checkpoint(door.app);
  await put(one, 'now');
  await put(other, 'now');
  return { id: checkpoint_id as string, one, other };
}

describe('POST /admin/state/restore/{id} [A13 K3 K4]', () => {
  it('as a dry run says what would change, changes nothing, and is not logged', async () => {
    const { id, one } = await changedSince();
    const result = await restored(id, { tenants: [one.tenantId] }, '?dry_run=true');
    expect(result).toMatchObject({
      checkpoint_id: id,
      dry_run: true,
      safety_checkpoint_id: null,
      tenants: [{ tenant_id: one.tenantId, outcome: 'would_restore', cache: { changed: 1, created: 0, removed: 0 } }],
    });
    expect(await textOf(one)).toBe('now');
    expect(await auditedActions(door.app, null)).not.toContain('checkpoint.restore');
  });

  it('restores only the tenants named, logs it, and is undone by the checkpoint it names', async () => {
    const { id, one, other } = await changedSince();
    const result = await restored(id, { tenants: [one.tenantId] });
    expect([await textOf(one), await textOf(other)]).toEqual(['then', 'now']);
    expect(await auditedActions(door.app, null)).toContain('checkpoint.restore');
    await restored(result.undo_checkpoint_id as string, { tenants: [one.tenantId] });
    expect(await textOf(one)).toBe('now');
  });

  it('without a body restores all', async () => {
    const { id, one, other } = await changedSince();
    await restored(id);
    expect([await textOf(one), await textOf(other)]).toEqual(['then', 'then']);
  });

  it('restores one session, named with or without its secret, and nothing else', async () => {
    const { caller } = await newTenant(door.app);
    await put(caller, 'then');
    const { id: sessionId } = await door.app.sessions.create(caller, { data: new Map([['a', '1']]) });
    const { checkpoint_id } = await checkpoint(door.app);
    await put(caller, 'now');
    for (const name of [sessionId, sessionId.split('-').slice(0, 2).join('-')]) {
      await door.app.sessions.update(caller, sessionId, { set: new Map([['a', '2']]), remove: [] });
      const result = await restored(checkpoint_id as string, {
        session: { tenant_id: caller.tenantId, session_id: name },
      });
      expect(result).toMatchObject({ scope: 'session' });
      expect((await door.app.sessions.get(caller, sessionId))?.data.get('a')).toBe('1');
    }
    expect(await textOf(caller)).toBe('now');
  });

  it('with the cache left out leaves it empty', async () => {
    const { id, one } = await changedSince();
    await restored(id, { tenants: [one.tenantId], cache: false });
    expect(await textOf(one)).toBeNull();
  });

  it('refuses what cannot be: no checkpoint, no such tenant in it, another deployment’s', async () => {
    const { id } = await changedSince();
    expectProblem(await restore(`ckpt-${newUlid(1)}`), '404 checkpoint_not_found');
    expectProblem(await restore(id, { tenants: [newTenantId(newUlid(1))] }), '404 tenant_not_found');
    const foreign = await stateApp();
    await foreign.app.blobs.put({ key: DEPLOYMENT, body: Buffer.from(JSON.stringify({ id: newUlid(1) })) });
    await newTenant(foreign.app);
    const taken = (await checkpoint(foreign.app)).checkpoint_id as string;
    const manifest = await foreign.app.blobs.get(`checkpoints/${taken}.ckpt`);
    await door.app.blobs.put({ key: `checkpoints/${taken}.ckpt`, body: manifest?.body ?? Buffer.alloc(0) });
    expectProblem(await restore(taken), '409 checkpoint_foreign');
    await door.app.blobs.delete([`checkpoints/${taken}.ckpt`]);
  });

  it.each([
    { tenants: [] },
    { tenants: ['no id'] },
    {
      tenants: [newTenantId(newUlid(1))],
      session: { tenant_id: newTenantId(newUlid(1)), session_id: `session-${newUlid(1)}` },
    },
    { session: { tenant_id: newTenantId(newUlid(1)), session_id: 'session-1' } },
    { session: { tenant_id: newTenantId(newUlid(1)), session_id: `session-${newUlid(1)}` }, sessions: 'revive' },
    { sessions: 'all' },
    { scope: 'all' },
  ])('refuses %j', async (body) => {
    expectProblem(await restore(`ckpt-${newUlid(1)}`, body), '400 invalid_request');
  });

  it('while another is under way: 409', async () => {
    const { id } = await changedSince();
    const first = JSON.parse((await restore(id)).body.toString());
    expectProblem(await restore(id), '409 checkpoint_running');
    await jobResult(door.app, first.job_id);
  });
});
