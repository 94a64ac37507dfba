/** Flows of what administration and the cleaning do about checkpoints, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { createCheckpointUpkeep } from '../../../lib/checkpoints/checkpoint-upkeep.ts';
import { newJobId, newUlid } from '../../../lib/ids.ts';
import { newTenant } from '../app.ts';
import { stateToolsOn } from '../checkpoint-view.ts';
import { endLease } from '../job-service.ts';
import { checkpoint, newBucket } from '../state-app.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const DAY_MS = 86_400_000;
const settings = async () => ({ PERSISTENCE_BLOBS_BUCKET: await newBucket() });

/** One tenant with an entry, and a checkpoint of it: beside those of the cases before. */
async function taken(direct: App) {
  const { caller } = await newTenant(direct);
  const entry = { value: Buffer.from('value'), meta: { content_type: 'text/plain' } };
  await direct.cache.set(caller, { namespace: 'ns', key: 'k' }, entry);
  const { checkpoint_id } = await checkpoint(direct);
  return { id: checkpoint_id as string, tenantId: caller.tenantId };
}

async function expectSound(direct: App, id: string, ulid: string): Promise<void> {
  for (let passes = 0; passes < 20; passes++) {
    const { status } = await direct.jobs.get(newJobId(ulid));
    if (status === 'done') break;
    await endLease(direct, newJobId(ulid));
    await direct.jobs.run();
  }
  const { result } = await direct.jobs.get(newJobId(ulid));
  expect(result).toMatchObject({ checkpoint_id: id, ok: true, damaged: 0 });
  expect(await direct.stateAdmin.verdict(id)).toMatchObject({ ok: true });
}

const ask: Flow = {
  name: 'ask for a checkpoint to be verified',
  calls: ['blobs head', 'start-job'],
  settings,
  async prepare(app, direct) {
    const { id } = await taken(direct);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.stateAdmin.verify(id, { ulid, signal }),
      verify: () => expectSound(direct, id, ulid),
    };
  },
};

const take: Flow = {
  name: 'ask for a checkpoint',
  calls: ['append-audit', 'take-turn', 'GET', 'start-job', 'take-turn'],
  settings,
  async prepare(app, direct) {
    await newTenant(direct);
    await direct.jobs.run();
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.stateAdmin.create({ description: 'before' }, { ulid, signal }),
      async verify() {
        for (let passes = 0; passes < 20; passes++) {
          if ((await direct.jobs.get(newJobId(ulid))).status === 'done') break;
          await direct.jobs.run();
        }
        const { header } = await direct.checkpoints.get(`ckpt-${ulid}`);
        expect(header).toMatchObject({ type: 'manual', description: 'before' });
      },
    };
  },
};

/** Each case has a deployment of its own, so that there is one tenant to read. */
const read: Flow = {
  name: 'verify a checkpoint',
  calls: [
    'find-due-jobs',
    'claim-job',
    'blobs get',
    'HGET',
    'blobs get',
    'blobs get',
    'blobs put',
    'blobs head',
    'save-job',
    'find-due-jobs',
  ],
  settings,
  async prepare(app, direct) {
    const known = onlyOne.get(direct) ?? (await taken(direct));
    onlyOne.set(direct, known);
    await direct.jobs.run();
    const ulid = newUlid(Date.now());
    await direct.stateAdmin.verify(known.id, { ulid });
    return {
      run: (signal) => app.jobs.run(signal),
      verify: () => expectSound(direct, known.id, ulid),
    };
  },
};
const onlyOne = new WeakMap<App, { readonly id: string }>();

/** As the cleaning has it in two days. */
const upkeepOf = (app: App) =>
  createCheckpointUpkeep({
    ...stateToolsOn(app, () => Date.now() + 2 * DAY_MS),
    ...{ redis: app.redis, keys: keysOf(app), tenants: app.tenants },
    now: () => Date.now() + 2 * DAY_MS,
  });

const upkeep: Flow = {
  name: 'end the feed of a tenant that nobody asks for',
  calls: [
    'SET',
    'blobs list',
    'ZRANGE',
    'HMGET',
    'trim-feed',
    'blobs list',
    'blobs get',
    'blobs list',
    'blobs delete',
    'blobs list',
  ],
  settings,
  async prepare(app, direct) {
    const known = feeds.get(direct) ?? (await taken(direct));
    feeds.set(direct, known);
    const { store } = stateToolsOn(direct);
    for (const id of await store.ids()) await store.deleteManifest(id);
    await checkpoint(direct);
    await direct.redis.send(['DEL', keysOf(direct).checkpointsLooked()], { kind: 'write' });
    return {
      run: (signal) => upkeepOf(app).run(signal),
      async verify() {
        await direct.redis.send(['DEL', keysOf(direct).checkpointsLooked()], { kind: 'write' });
        await upkeepOf(direct).run();
        const gate = keysOf(direct).gate(known.tenantId);
        expect(await direct.redis.send(['HGET', gate, 'f'], { kind: 'read' })).toBeNull();
      },
    };
  },
};
const feeds = new WeakMap<App, Awaited<ReturnType<typeof taken>>>();

export const stateFlows: readonly Flow[] = [take, ask, read, upkeep];
