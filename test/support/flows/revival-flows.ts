/** Flows of what a restore puts back beside data: one session among those that serve, and a tenant that Redis has lost. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { CheckpointTenant } from '../../../lib/checkpoints/format/manifest-schema.ts';
import { NOTHING_LOADED } from '../../../lib/checkpoints/restore/loaded-stock.ts';
import { createRevival } from '../../../lib/checkpoints/restore/revival.ts';
import { createSessionRestore } from '../../../lib/checkpoints/restore/session-restore.ts';
import { markText } from '../../../lib/checkpoints/restore/switch-mark.ts';
import { LOAD_BEGINS } from '../../../lib/checkpoints/restore/tenant-loader.ts';
import { newUlid } from '../../../lib/ids.ts';
import { checkpointBlob } from '../../../lib/keys.ts';
import { beginGeneration } from '../../../lib/redis/bindings/checkpoint-scripts.ts';
import { runScript } from '../../../lib/redis/script.ts';
import { sessionParts } from '../../../lib/sessions/session-ids.ts';
import { createPublisher } from '../../../lib/tenants/publisher.ts';
import { newTenant } from '../app.ts';
import { stateToolsOn } from '../checkpoint-view.ts';
import { spillToolsOn, texts } from '../spill-tools.ts';
import { checkpoint, newBucket } from '../state-app.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const settings = async () => ({ PERSISTENCE_BLOBS_BUCKET: await newBucket() });

/** The only checkpoint there is, so that the calls are the same each time. */
async function onlyCheckpoint(direct: App): Promise<string> {
  const { store } = stateToolsOn(direct);
  for (const id of await store.ids()) await direct.blobs.delete([checkpointBlob(id)]);
  return (await checkpoint(direct)).checkpoint_id as string;
}

const lineOf = async (direct: App, checkpointId: string, tenant: string) =>
  (await stateToolsOn(direct).store.getManifest(checkpointId)).tenants.find(
    (line) => line.tenant === tenant,
  ) as CheckpointTenant;

export const revivalFlows: readonly Flow[] = [
  {
    name: 'put one session back',
    calls: ['register-object', 'blobs put', 'reinstate-session'],
    settings,
    async prepare(app, direct) {
      const { caller, tenant } = await newTenant(direct);
      const { id } = await direct.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
      const line = await lineOf(direct, await onlyCheckpoint(direct), tenant.id);
      await direct.sessions.update(caller, id, { set: texts({ a: 2 }) });
      const restoreOn = (on: App) =>
        createSessionRestore({
          redis: on.redis,
          keys: keysOf(on),
          store: stateToolsOn(on).store,
          sessionBlobs: async () => spillToolsOn(on).sessionBlobs,
          now: Date.now,
        });
      const record = await restoreOn(direct).find(line, sessionParts(id).ulid, new AbortController().signal);
      return {
        run: (signal) => restoreOn(app).run({ id: tenant.id, generation: 1, signal }, record),
        async verify(result) {
          expect(result).toBe('done');
          expect((await direct.sessions.get(caller, id))?.data).toEqual(texts({ a: 1 }));
        },
      };
    },
  },
  {
    name: 'put a tenant back that Redis has lost',
    calls: ['blobs list', 'blobs get', 'blobs get', 'blobs list', 'revive-tenant', 'ZADD', 'GET', 'publish-change'],
    settings,
    async prepare(app, direct) {
      const { caller, tenant } = await newTenant(direct);
      await onlyCheckpoint(direct);
      const keys = keysOf(direct);
      const lost = [...keys.slotOf(tenant.id), keys.record(tenant.id), keys.billing(tenant.id)];
      await direct.redis.send(['DEL', ...lost], { kind: 'write' });
      await direct.redis.send(['ZREM', keys.tenants(), tenant.id], { kind: 'write' });
      const generation = await runScript(direct.redis, beginGeneration, {
        keys: { gate: keys.gate(tenant.id), generations: keys.generations(tenant.id) },
        args: {},
        kind: 'write',
      });
      const { redis, blobs } = app;
      const mark = markText(newUlid(Date.now()), { outcome: 'revived', retired: null, load: LOAD_BEGINS });
      const revivalNow = () =>
        createRevival({
          redis,
          keys,
          blobs,
          store: stateToolsOn(app).store,
          publisher: createPublisher({ redis, keys }),
          now: Date.now,
        });
      return {
        run: (signal) => revivalNow().run(tenant.id, generation, { stock: NOTHING_LOADED, mark }, signal),
        async verify(result) {
          expect(result).toMatch(/^(?:done|there)$/);
          expect(await direct.account.identify(caller)).toMatchObject({ tenant_id: tenant.id });
          expect(await direct.tenants.get(tenant.id)).toEqual(tenant);
          expect(await direct.tenants.listIds({ limit: 1_000 })).toContain(tenant.id);
        },
      };
    },
  },
];
