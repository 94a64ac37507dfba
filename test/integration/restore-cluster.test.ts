/** Checkpoints and restores where each tenant is on one node of a Redis Cluster, and what is of all tenants on another. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCluster, startCluster } from '../../infra/local/redis/start-cluster.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant } from '../support/app.ts';
import { livingRecords, restore } from '../support/restoring.ts';
import { spillAll, texts } from '../support/spill-tools.ts';
import { checkpoint, type StateApp, stateApp } from '../support/state-app.ts';

let dir: string;
let cluster: RunningCluster;
let state: StateApp;
beforeAll(async () => {
  telemetry.logger.setLogLevel('SILENT');
  dir = await mkdtemp(join(tmpdir(), 'riptide-restore-cluster-'));
  cluster = await startCluster({ dir });
  state = await stateApp({ env: { REDIS_URL: cluster.url, PERSISTENCE_REDIS_CLUSTER_MODE: 'true' } });
});
afterAll(async () => {
  await state.app.close();
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('on a Redis Cluster [K3 K5]', () => {
  it('tenants are restored, undone, and put back when all is lost', { timeout: 60_000 }, async () => {
    const { app, emptied } = state;
    const made = await Promise.all(Array.from({ length: 6 }, (_, i) => newTenant(app, { encryption: i === 0 })));
    const name = { namespace: 'ns', key: 'k' };
    const set = (value: string) =>
      Promise.all(
        made.map(({ caller }) =>
          app.cache.set(caller, name, { value: Buffer.from(value), meta: { content_type: 'text/plain' } }),
        ),
      );
    const all = (on = app) => Promise.all(made.map(({ tenant }) => livingRecords(on, tenant.id)));
    await set('then');
    for (const { caller } of made) {
      await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
      await spillAll(app, caller.tenantId);
      await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 2 }) });
    }
    const { checkpoint_id } = await checkpoint(app);
    const then = await all();
    await set('now');
    const now = await all();
    const { undo_checkpoint_id, totals } = await restore(app, checkpoint_id as string);
    expect(totals).toMatchObject({ tenants_restored: 6, cache: 6, sessions: 12 });
    expect(await all()).toEqual(then);
    await restore(app, undo_checkpoint_id as string);
    expect(await all()).toEqual(now);
    const empty = await emptied({ env: { REDIS_URL: cluster.url, PERSISTENCE_REDIS_CLUSTER_MODE: 'true' } });
    await restore(empty, checkpoint_id as string, { sessions: 'revive' });
    for (const [i, { caller }] of made.entries()) {
      const found = await livingRecords(empty, caller.tenantId);
      expect(Object.keys(found)).toEqual(Object.keys(then[i] as object));
      const entry = await empty.cache.get(caller, name);
      expect(entry !== null && 'value' in entry && String(entry.value)).toBe('then');
      expect((await empty.sessions.list(caller, 'ada', { limit: 5 })).items).toHaveLength(2);
    }
    await empty.close();
  });
});
