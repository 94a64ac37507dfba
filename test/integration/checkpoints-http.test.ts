/** Checkpoints as an administrator takes, lists, reads and verifies them: over HTTP. */
import { beforeAll, describe, expect, it } from 'vitest';
import { handler as runSchedule } from '../../functions/schedules/checkpoint-state.ts';
import { createLambdaContext } from '../../infra/local/host/lambda-context.ts';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import { withDigest } from '../../lib/checkpoints/format/digested-text.ts';
import {
  CheckpointListResponse,
  CheckpointResponse,
  CreateCheckpointResponse,
} from '../../lib/checkpoints/http/checkpoint-contract.ts';
import { newUlid } from '../../lib/ids.ts';
import { checkpointBlob, checkpointDataPrefix } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { ADMIN_KEY, newTenant } from '../support/app.ts';
import { type Door, type DoorReply, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { jobResult, newBucket } from '../support/state-app.ts';
import { auditedActions } from '../support/tenant-state.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor({ PERSISTENCE_BLOBS_BUCKET: await newBucket() });
  telemetry.logger.setLogLevel('SILENT');
});

const admin = (target: string, method = 'GET', body?: object, headers: Record<string, string> = {}) =>
  door.call({
    target,
    method,
    key: ADMIN_KEY,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const jsonOf = (reply: DoorReply) => JSON.parse(reply.body.toString());
const NOWHERE = `ckpt-${newUlid(1)}`;
const FACTS = { name: 'schedulesCheckpointState', memoryMb: 512, timeoutMs: 60_000 };
const CHECKPOINTS = '/admin/state/checkpoints';

const newEntries = async (count: number, encryption = false) => {
  const { caller } = await newTenant(door.app, { encryption });
  for (let i = 0; i < count; i++) {
    const entry = { value: Buffer.from(`value ${i}`), meta: { content_type: 'text/plain' } };
    await door.app.cache.set(caller, { namespace: 'ns', key: `k${i}` }, entry);
  }
  return caller;
};

/** @returns its id, once it stands. */
async function take(body?: object): Promise<string> {
  const reply = await admin('/admin/state/checkpoint', 'POST', body);
  expect(reply.status).toBe(202);
  const { job_id, checkpoint_id } = CreateCheckpointResponse.strict().parse(jsonOf(reply));
  expect(reply.headers.location).toBe(`/admin/jobs/${job_id}`);
  await jobResult(door.app, job_id);
  return checkpoint_id;
}

const read = async (id: string, query = '') =>
  CheckpointResponse.strict().parse(jsonOf(await admin(`${CHECKPOINTS}/${id}${query}`)));

async function verify(id: string) {
  const reply = await admin(`${CHECKPOINTS}/${id}/verify`, 'POST');
  expect(reply.status).toBe(202);
  return jobResult(door.app, jsonOf(reply).job_id);
}

/** Changes the middle byte of each data object of a tenant. */
async function damage(tenantId: Parameters<typeof checkpointDataPrefix>[0]): Promise<number> {
  const { items } = await door.app.blobs.list({ prefix: checkpointDataPrefix(tenantId) });
  for (const { key } of items) {
    const { body } = (await door.app.blobs.get(key)) as { body: Buffer };
    const at = body.length >> 1;
    body.writeUInt8(body.readUInt8(at) ^ 1, at);
    await door.app.blobs.put({ key, body });
  }
  return items.length;
}

describe('POST /admin/state/checkpoint [A12 K1 K4]', () => {
  it('makes the checkpoint that it names, of what was there, and logs who asked', async () => {
    const { tenantId } = await newEntries(3);
    const id = await take({ description: 'before the release' });
    const found = await read(id, `?tenant_id=${tenantId}`);
    expect(found).toMatchObject({ id, type: 'manual', description: 'before the release', cache: true, verified: null });
    expect(found.tenant_items).toMatchObject([{ tenant_id: tenantId, cache_entries: 3, sessions: 0, runs: 1 }]);
    expect(await auditedActions(door.app, null)).toContain('checkpoint.create');
  });

  it('leaves the cache out when asked to', async () => {
    const { tenantId } = await newEntries(2);
    const found = await read(await take({ cache: false }), `?tenant_id=${tenantId}`);
    expect(found).toMatchObject({ cache: false, cache_entries: 0 });
  });

  it('with the same Idempotency-Key: the same checkpoint', async () => {
    const headers = { 'idempotency-key': newUlid(Date.now()) };
    const first = jsonOf(await admin('/admin/state/checkpoint', 'POST', undefined, headers));
    expect(jsonOf(await admin('/admin/state/checkpoint', 'POST', undefined, headers))).toEqual(first);
    await jobResult(door.app, first.job_id);
  });

  it('while one is made: 409, which names the job', async () => {
    const first = jsonOf(await admin('/admin/state/checkpoint', 'POST'));
    const refused = await admin('/admin/state/checkpoint', 'POST');
    expectProblem(refused, '409 checkpoint_running');
    expect(refused.body.toString()).toContain(first.job_id);
    await jobResult(door.app, first.job_id);
  });

  it.each([{ description: 'x'.repeat(201) }, { cache: 'yes' }, { other: 1 }])('refuses %j', async (body) => {
    expectProblem(await admin('/admin/state/checkpoint', 'POST', body), '400 invalid_request');
  });
});

describe('GET /admin/state/checkpoints [K1 K5]', () => {
  it('lists them newest first, in pages', async () => {
    const [older, newer] = [await take(), await take()];
    const one = CheckpointListResponse.parse(jsonOf(await admin(`${CHECKPOINTS}?limit=1`)));
    expect(one).toMatchObject({ items: [{ id: newer, readable: true }], next_cursor: newer });
    const two = CheckpointListResponse.parse(jsonOf(await admin(`${CHECKPOINTS}?limit=1&cursor=${one.next_cursor}`)));
    expect(two).toMatchObject({ items: [{ id: older, base: expect.stringMatching(/^ckpt-/) }], next_cursor: older });
  });

  it('lists one that nobody can read as such; reading it is a 500, and the others stay', async () => {
    const id = `ckpt-${newUlid(Date.now())}`;
    await door.app.blobs.put({ key: checkpointBlob(id), body: Buffer.from('no manifest') });
    const { items } = CheckpointListResponse.parse(jsonOf(await admin(CHECKPOINTS)));
    expect(items[0]).toEqual({ id, readable: false, problem: expect.stringContaining('backup') });
    expect(items[1]).toMatchObject({ readable: true });
    expectProblem(await admin(`${CHECKPOINTS}/${id}`), '500 value_corrupt');
    expect(await verify(id)).toMatchObject({ ok: false, damaged: 1, problems: [{ tenant_id: null, object: null }] });
    await door.app.blobs.delete([checkpointBlob(id)]);
  });

  it('lists one that a newer version wrote as such, and does not build upon it', async () => {
    const id = `ckpt-${newUlid(Date.now())}`;
    const newer = Buffer.from(withDigest('{"format":"ck2"}\n'));
    await door.app.blobs.put({ key: checkpointBlob(id), body: await (await loadLz4()).compressInTurns(newer) });
    const { items } = CheckpointListResponse.parse(jsonOf(await admin(CHECKPOINTS)));
    expect(items[0]).toMatchObject({ id, readable: false });
    expectProblem(await admin(`${CHECKPOINTS}/${id}`), '422 checkpoint_format_unknown');
    expect((await read(await take())).base).not.toBe(id);
    await door.app.blobs.delete([checkpointBlob(id)]);
  });

  it('shows the tenants of one in pages', async () => {
    const ids = [(await newEntries(1)).tenantId, (await newEntries(1)).tenantId];
    const id = await take();
    const first = await read(id, `?limit=1&cursor=${ids.toSorted()[0]}`);
    expect(first.tenant_items).toMatchObject([{ tenant_id: ids.toSorted()[1] }]);
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: CheckpointResponse = await read(id, `?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      found.push(...page.tenant_items.map(({ tenant_id }) => tenant_id));
      cursor = page.next_cursor;
    }
    expect(found).toEqual(found.toSorted());
    expect(found).toHaveLength((await read(id)).tenants);
  });

  it('of none: 404; of what is no id: 400', async () => {
    expectProblem(await admin(`${CHECKPOINTS}/${NOWHERE}`), '404 checkpoint_not_found');
    expectProblem(await admin(`${CHECKPOINTS}/ckpt-1`), '400 invalid_request');
    expectProblem(await admin(`${CHECKPOINTS}/${NOWHERE}/verify`, 'POST'), '404 checkpoint_not_found');
  });
});

describe('the schedule [K2]', () => {
  it('called by hand starts the checkpoint that is due, and tells how old the newest is', async () => {
    await take();
    const run = () => runSchedule({}, createLambdaContext(FACTS, 'a-request') as never);
    const report = (await run()) as Readonly<Record<string, number>>;
    expect(report.newestAgeSeconds).toBeGreaterThanOrEqual(0);
    expect([0, 1]).toContain(report.started);
    await door.app.jobs.run();
    expect(await run()).toMatchObject({ started: 0 });
  });
});

describe('POST /admin/state/checkpoints/{id}/verify [K3]', () => {
  it('reads all of it, sealed or not, and says so afterwards', async () => {
    await newEntries(5);
    await newEntries(5, true);
    const id = await take();
    const { bytes } = await read(id);
    const result = await verify(id);
    expect(result).toMatchObject({ checkpoint_id: id, ok: true, bytes, damaged: 0, problems: [] });
    expect((await read(id)).verified).toMatchObject({
      ok: true,
      objects: result.objects,
      frames: result.frames,
      bytes,
    });
  });

  it('names each object that cannot be used, and reads the rest', async () => {
    const { tenantId } = await newEntries(4);
    const id = await take();
    const whole = await verify(id);
    const damaged = await damage(tenantId);
    const result = await verify(id);
    expect(result).toMatchObject({ ok: false, damaged, objects: whole.objects });
    expect(result.problems).toHaveLength(damaged);
    for (const problem of result.problems as { tenant_id: string }[]) expect(problem.tenant_id).toBe(tenantId);
    expect((await read(id)).verified).toMatchObject({ ok: false, damaged });
  });
});
