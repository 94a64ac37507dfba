/** Flows of restores, and the calls each makes. One tenant and a bucket of its own, so that the calls are the same each time. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { newJobId, newUlid } from '../../../lib/ids.ts';
import { CHECKPOINT_PARTS, checkpointBlob } from '../../../lib/keys.ts';
import { newTenant, type TestTenant } from '../app.ts';
import { auditCache } from '../cache-audit.ts';
import { stateToolsOn } from '../checkpoint-view.ts';
import { endLease } from '../job-service.ts';
import { keysOfGeneration, listedGenerations } from '../old-generation.ts';
import { livingRecords, type RestoreResult, startRestore } from '../restoring.ts';
import { spillToolsOn, texts } from '../spill-tools.ts';
import { checkpoint, newBucket } from '../state-app.ts';
import { generationOf, keysOf } from '../tenant-state.ts';
import type { Flow, PreparedFlow } from './flow.ts';

const meta = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const tenants = new WeakMap<App, TestTenant>();
const settings = async () => ({ PERSISTENCE_BLOBS_BUCKET: await newBucket() });

/** The only one of the deployment: entries and sessions, in Redis and in S3. */
async function onlyTenant(direct: App): Promise<TestTenant> {
  const known = tenants.get(direct);
  if (known !== undefined) return known;
  const made = await newTenant(direct);
  tenants.set(direct, made);
  for (let i = 0; i < 3; i++)
    await direct.cache.set(made.caller, named(`k${i}`), { value: Buffer.from('then'), meta: { ...meta, tags: ['t'] } });
  await direct.cache.set(made.caller, named('large'), { value: randomBytes(300_000), meta });
  for (let i = 0; i < 3; i++) await direct.sessions.create(made.caller, { userId: 'ada', data: texts({ i }) });
  const { coldest, spiller } = spillToolsOn(direct);
  const place = { id: made.tenant.id, generation: 1 };
  await spiller.spill(place, await coldest.find(place, 1));
  return made;
}

/** One checkpoint, and what is there is another thing. */
export async function prepareRestore(direct: App) {
  const { caller, tenant } = await onlyTenant(direct);
  const { store } = stateToolsOn(direct);
  for (const id of await store.ids()) await direct.blobs.delete([checkpointBlob(id)]);
  await direct.redis.send(['DEL', keysOf(direct).checkpointsOldest()], { kind: 'write' });
  const { checkpoint_id } = await checkpoint(direct);
  const then = await livingRecords(direct, tenant.id);
  await direct.cache.set(caller, named('k0'), { value: randomBytes(10), meta });
  await direct.cache.set(caller, named('added'), { value: Buffer.from('now'), meta });
  await direct.cache.delete(caller, named('k1'));
  const now = await livingRecords(direct, tenant.id);
  const generation = await generationOf(direct, tenant.id);
  const opId = newUlid(Date.now());

  /** Goes on wherever it was left, until it is done. */
  const finish = async (): Promise<RestoreResult> => {
    const id = newJobId(opId);
    for (let passes = 0; passes < 20; passes++) {
      const job = await direct.jobs.get(id);
      if (job.status === 'done') return job.result as unknown as RestoreResult;
      expect(job, 'the job').toMatchObject({ status: expect.stringMatching(/queued|running/) });
      await endLease(direct, id);
      await direct.jobs.run();
    }
    throw new Error('The job does not end');
  };

  return {
    caller,
    id: tenant.id,
    opId,
    then,
    now,
    generation,
    expectTidy,
    start: (app: App, signal?: AbortSignal) =>
      startRestore(app, checkpoint_id as string, { opId, inlineMs: 60_000, signal }),

    /** Exactly what the checkpoint has, once, and nothing is left over. */
    async verify(): Promise<RestoreResult> {
      const result = await finish();
      expect(result.tenants).toMatchObject([{ outcome: 'restored', cache_entries: 4, sessions: 3 }]);
      expect(await livingRecords(direct, tenant.id)).toEqual(then);
      await expectTidy();
      expect((await direct.blobs.list({ prefix: CHECKPOINT_PARTS })).items).toEqual([]);
      return result;
    },
  };

  /** Nothing that is not of the generation that serves. */
  async function expectTidy(): Promise<void> {
    await auditCache(direct, tenant.id);
    expect(await listedGenerations(direct, tenant.id)).toEqual([]);
    const serves = await generationOf(direct, tenant.id);
    for (let other = 1; other <= serves + 2; other++)
      if (other !== serves) expect(await keysOfGeneration(direct, tenant.id, other)).toEqual([]);
  }
}

export const restoreFlows: readonly Flow[] = [
  {
    name: 'restore a tenant',
    calls: [
      'blobs get',
      'take-turn',
      'start-job',
      'claim-job',
      'take-turn',
      'HMGET',
      'blobs get',
      'blobs get',
      'HGET',
      'SET',
      'blobs list',
      'blobs head',
      'HMGET',
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
      'save-job',
      'take-turn',
      'EXISTS',
      'blobs get',
      'GET',
      'ZRANGEBYSCORE',
      'HMGET',
      'begin-feed',
      'SADD',
      'begin-generation',
      'HMGET',
      'blobs get',
      'ZMSCORE',
      'load-records',
      'begin-feed',
      'ZRANGE',
      'ZRANGE',
      'flip-generation',
      'GET',
      'SREM',
      'HMGET',
      'ZRANGE',
      'HMGET',
      'ZRANGE',
      'blobs put',
      'save-job',
      'take-turn',
      'blobs get',
      'blobs list',
      'blobs delete',
      'blobs list',
      'blobs list',
      'blobs delete',
      'blobs list',
      'HMGET',
      'ZRANGEBYSCORE',
      'ZRANGE',
      'reclaim-generation',
      'take-turn',
      'save-job',
    ],
    settings,
    async prepare(app, direct): Promise<PreparedFlow> {
      const { start, verify } = await prepareRestore(direct);
      return { run: (signal) => start(app, signal), verify: async () => void (await verify()) };
    },
  },
];
