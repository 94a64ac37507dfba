/** Flows of checkpoints, and the calls each makes. One tenant and a bucket of its own, so that the calls are the same each time. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { newJobId, newUlid } from '../../../lib/ids.ts';
import { CHECKPOINT_DATA, CHECKPOINT_PARTS, checkpointBlob, checkpointDataBlob } from '../../../lib/keys.ts';
import { newTenant, type TestTenant } from '../app.ts';
import { expectCheckpointEquals, stateToolsOn } from '../checkpoint-view.ts';
import { endLease } from '../job-service.ts';
import { texts } from '../spill-tools.ts';
import { newBucket } from '../state-app.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const KEPT = 2;
const meta = { content_type: 'text/plain' };
const settings = async () => ({
  PERSISTENCE_BLOBS_BUCKET: await newBucket(),
  PERSISTENCE_STATE_MAX_CHECKPOINTS: String(KEPT),
});

const tenants = new WeakMap<App, TestTenant>();

/** The only one of the deployment. */
async function onlyTenant(direct: App): Promise<TestTenant> {
  const known = tenants.get(direct) ?? (await newTenant(direct));
  if (tenants.has(direct)) return known;
  tenants.set(direct, known);
  await setEntries(direct, known, 20, 'base');
  // More than all that is written later: the base stays.
  const entry = { value: randomBytes(20_000), meta, ttlMs: null };
  await direct.cache.set(known.caller, { namespace: 'ns', key: 'large' }, entry);
  await direct.sessions.create(known.caller, { userId: 'ada', data: texts({ a: 1 }) });
  return known;
}

async function setEntries(direct: App, { caller }: TestTenant, count: number, name: string): Promise<void> {
  const entries = Array.from({ length: count }, (_, i) => ({
    ...{ key: `${name}-${i}`, value: Buffer.from(`${i}`), meta, ttlMs: null },
    graceMs: 0,
  }));
  await direct.cache.setMany(caller, 'ns', entries);
}

/** Something is written, and something is removed. */
async function change(direct: App, tenant: TestTenant): Promise<void> {
  await setEntries(direct, tenant, 1, `changed-${newUlid(Date.now())}`);
  await direct.cache.delete(tenant.caller, { namespace: 'ns', key: `base-${Math.floor(Math.random() * 20)}` });
}

/** The job goes on wherever it was left, until it is done. */
async function finish(direct: App, ulid: string): Promise<string> {
  const id = newJobId(ulid);
  for (let passes = 0; passes < 20; passes++) {
    const { status } = await direct.jobs.get(id);
    if (status === 'done') return `ckpt-${ulid}`;
    expect(status, 'the job').not.toBe('failed');
    await endLease(direct, id);
    await direct.jobs.run();
  }
  throw new Error('The job does not end');
}

/** One, whole, and nothing is left over; and what is built upon it is right, too. */
async function expectStands(direct: App, tenant: TestTenant, ulid: string): Promise<void> {
  const id = await finish(direct, ulid);
  const ids = await stateToolsOn(direct).store.ids();
  expect(ids[0]).toBe(id);
  expect(ids.length).toBeLessThanOrEqual(KEPT);
  await expectCheckpointEquals(direct, await direct.checkpoints.get(id), [tenant.caller.tenantId]);
  expect((await direct.blobs.list({ prefix: CHECKPOINT_PARTS })).items).toEqual([]);
  await change(direct, tenant);
  const next = newUlid(Date.now());
  await direct.checkpoints.start({ type: 'manual', opId: next, inlineMs: 60_000 });
  const built = await direct.checkpoints.get(await finish(direct, next));
  expect(built.header.base).toBe(id);
  await expectCheckpointEquals(direct, built, [tenant.caller.tenantId]);
}

const start = (app: App, opId: string, signal: AbortSignal) =>
  app.checkpoints.start({ type: 'manual', opId, inlineMs: 60_000, signal });

/** A checkpoint that stands. @returns its id. */
async function made(direct: App): Promise<string> {
  const ulid = newUlid(Date.now());
  await start(direct, ulid, new AbortController().signal);
  return finish(direct, ulid);
}

/** As if none had ever been made: what they consist of is nobody's then. */
async function forgetAll(direct: App): Promise<void> {
  for (const id of await stateToolsOn(direct).store.ids()) await direct.blobs.delete([checkpointBlob(id)]);
}

const first: Flow = {
  name: 'write the first checkpoint',
  calls: [
    'take-turn',
    'GET',
    'start-job',
    'claim-job',
    'take-turn',
    'SET',
    'blobs list',
    'ZRANGE',
    'HMGET',
    'begin-feed',
    'HMGET',
    'GET',
    'HMGET',
    'blobs put',
    'HMGET',
    'ZRANGE',
    'read-records',
    'blobs put',
    'HMGET',
    'ZRANGE',
    'blobs put',
    'blobs get',
    'HGET',
    'blobs put',
    'blobs get',
    'trim-feed',
    'blobs list',
    'blobs delete',
    'blobs list',
    'SMEMBERS',
    'blobs list',
    'blobs head',
    'SET',
    'take-turn',
    'save-job',
  ],
  settings,
  async prepare(app, direct) {
    const tenant = await onlyTenant(direct);
    await forgetAll(direct);
    await direct.redis.send(['DEL', keysOf(direct).checkpointsOldest()], { kind: 'write' });
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => start(app, ulid, signal),
      verify: () => expectStands(direct, tenant, ulid),
    };
  },
};

const changed: Flow = {
  name: 'write what changed, retire a checkpoint',
  calls: [
    'take-turn',
    'GET',
    'start-job',
    'claim-job',
    'take-turn',
    'SET',
    'blobs list',
    'blobs head',
    'blobs head',
    'blobs get',
    'ZRANGE',
    'HMGET',
    'ZRANGE',
    'begin-feed',
    'HMGET',
    'HMGET',
    'ZRANGE',
    'ZRANGE',
    'ZRANGE',
    'read-records',
    'blobs put',
    'HMGET',
    'ZRANGE',
    'blobs put',
    'blobs head',
    'blobs get',
    'HGET',
    'blobs put',
    'blobs get',
    'blobs get',
    'trim-feed',
    'blobs list',
    'blobs delete',
    'blobs list',
    'SMEMBERS',
    'blobs list',
    'blobs head',
    'blobs head',
    'blobs head',
    'blobs get',
    'blobs get',
    'blobs get',
    'blobs delete',
    'blobs delete',
    'SET',
    'blobs get',
    'take-turn',
    'save-job',
  ],
  settings,
  async prepare(app, direct) {
    const tenant = await onlyTenant(direct);
    await forgetAll(direct);
    for (let i = 0; i < KEPT; i++) {
      await change(direct, tenant);
      await made(direct);
    }
    await change(direct, tenant);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => start(app, ulid, signal),
      verify: () => expectStands(direct, tenant, ulid),
    };
  },
};

const unchanged: Flow = {
  name: 'write a checkpoint when nothing changed',
  calls: [
    'take-turn',
    'GET',
    'start-job',
    'claim-job',
    'take-turn',
    'SET',
    'blobs list',
    'blobs head',
    'blobs get',
    'ZRANGE',
    'HMGET',
    'ZRANGE',
    'blobs put',
    'blobs head',
    'blobs get',
    'HGET',
    'blobs put',
    'blobs get',
    'blobs get',
    'blobs list',
    'blobs delete',
    'blobs list',
    'SMEMBERS',
    'blobs list',
    'blobs head',
    'blobs head',
    'SET',
    'blobs get',
    'take-turn',
    'save-job',
  ],
  settings,
  async prepare(app, direct) {
    const tenant = await onlyTenant(direct);
    await forgetAll(direct);
    await made(direct);
    const objects = await dataObjects(direct);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => start(app, ulid, signal),
      async verify() {
        await finish(direct, ulid);
        expect(await dataObjects(direct)).toEqual(objects);
        await expectStands(direct, tenant, ulid);
      },
    };
  },
};

const dataObjects = async (direct: App) =>
  (await direct.blobs.list({ prefix: CHECKPOINT_DATA })).items.map(({ key }) => key);

const due: Flow = {
  name: 'start the checkpoint that is due',
  calls: ['take-turn', 'GET', 'start-job', 'take-turn'],
  settings: async () => ({ ...(await settings()), PERSISTENCE_STATE_CHECKPOINT_INTERVAL_SECONDS: '86400' }),
  async prepare(app, direct) {
    const tenant = await onlyTenant(direct);
    const { items } = await direct.jobs.list({ limit: 1 });
    // The slot is the same all day: its job is forgotten, as when the next one begins.
    for (const { id } of items) await forgetJob(direct, id);
    await forgetAll(direct);
    return {
      run: (signal) => app.checkpoints.startDue(signal),
      async verify() {
        const [job, ...others] = (await direct.jobs.list({ limit: 10 })).items;
        expect(others).toEqual([]);
        const id = await finish(direct, (job?.id ?? '').slice('job-'.length));
        await expectCheckpointEquals(direct, await direct.checkpoints.get(id), [tenant.caller.tenantId]);
        expect(await direct.checkpoints.startDue()).toEqual({ started: 0 });
        expect(await direct.redis.send(['EXISTS', keysOf(direct).checkpointJob()], { kind: 'read' })).toBe(0);
      },
    };
  },
};

async function forgetJob(direct: App, id: string): Promise<void> {
  await finish(direct, id.slice('job-'.length));
  await direct.redis.send(['ZADD', keysOf(direct).jobsEnded(), 1, id], { kind: 'write' });
  await direct.jobs.run();
}

const list: Flow = {
  name: 'list checkpoints',
  calls: ['blobs list', 'blobs head'],
  settings,
  async prepare(app, direct) {
    await onlyTenant(direct);
    await forgetAll(direct);
    const id = await made(direct);
    return {
      run: (signal) => app.checkpoints.list({ limit: 10 }, signal),
      verify: async (result) => expect(result).toMatchObject({ items: [{ id }], nextCursor: null }),
    };
  },
};

const get: Flow = {
  name: 'read what a checkpoint consists of',
  calls: ['blobs get'],
  settings,
  async prepare(app, direct) {
    const { caller } = await onlyTenant(direct);
    const id = await made(direct);
    return {
      run: (signal) => app.checkpoints.get(id, signal),
      verify: async (result) =>
        expect(result).toMatchObject({ header: { id }, tenants: [{ tenant: caller.tenantId }] }),
    };
  },
};

const sweep: Flow = {
  name: 'sweep up what no checkpoint names',
  calls: ['blobs list', 'blobs get', 'blobs list', 'blobs delete', 'blobs list', 'blobs delete'],
  settings,
  async prepare(app, direct) {
    const { caller } = await onlyTenant(direct);
    await forgetAll(direct);
    const id = await made(direct);
    const orphans = [
      checkpointDataBlob(caller.tenantId, newUlid(Date.now())),
      `${CHECKPOINT_PARTS}${id}/000000.ndjson`,
    ];
    for (const key of orphans) await direct.blobs.put({ key, body: randomBytes(10) });
    const inTwoDays = () => Date.now() + 2 * 86_400_000;
    return {
      run: (signal) => stateToolsOn(app, inTwoDays).retirement.sweep(signal),
      async verify() {
        expect(await stateToolsOn(direct, inTwoDays).retirement.sweep()).toBe(0);
        expect((await direct.blobs.list({ prefix: CHECKPOINT_PARTS })).items).toEqual([]);
        expect((await direct.blobs.list({ prefix: CHECKPOINT_DATA })).items.length).toBeGreaterThan(0);
        await expectCheckpointEquals(direct, await direct.checkpoints.get(id), [caller.tenantId]);
      },
    };
  },
};

export const checkpointFlows: readonly Flow[] = [first, changed, unchanged, due, list, get, sweep];
