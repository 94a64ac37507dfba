/** A checkpoint that is damaged, not whole, or another deployment's is refused before anything is touched. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { namedObjects } from '../../lib/checkpoints/format/manifest.ts';
import { newCheckpointId, newTenantId, newUlid } from '../../lib/ids.ts';
import { checkpointBlob, checkpointDataBlob, DEPLOYMENT } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant } from '../support/app.ts';
import { restore, startRestore } from '../support/restoring.ts';
import { texts } from '../support/spill-tools.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { dumpOf } from '../support/state-dump.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const META = { content_type: 'text/plain' };

/** A small checkpoint of a plain and a sealed tenant, and another one after it. */
async function small() {
  const made = await stateApp();
  const { app } = made;
  const tenants = [];
  for (const encryption of [false, true]) {
    const { caller, tenant } = await newTenant(app, { encryption });
    await app.cache.set(caller, { namespace: 'ns', key: 'k' }, { value: Buffer.from('v'), meta: META });
    await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
    tenants.push(tenant.id);
  }
  const id = (await checkpoint(app)).checkpoint_id as string;
  const other = (await checkpoint(app)).checkpoint_id as string;
  return { ...made, id, other, tenants };
}

const bodyOf = async (app: App, key: string): Promise<Buffer> =>
  (await app.blobs.get(key))?.body ?? expect.fail('it is there');

/** A bit of every so many bytes turned, and cut off in so many places. */
function* damages(whole: Buffer, count: number): Generator<Buffer> {
  const every = Math.max(1, Math.floor(whole.length / count));
  for (let at = Date.now() % every; at < whole.length; at += every) {
    const turned = Buffer.from(whole);
    turned[at] = (turned[at] ?? 0) ^ (1 << (at % 8));
    yield turned;
    yield whole.subarray(0, at);
  }
}

describe('a checkpoint that is damaged [K3 E3]', () => {
  it('is refused at once when its manifest is', { timeout: 120_000 }, async () => {
    const { app, id, other } = await small();
    const key = checkpointBlob(id);
    const whole = await bodyOf(app, key);
    const before = await dumpOf(app);
    for (const body of damages(whole, 150)) {
      await app.blobs.put({ key, body });
      // What an instance knows of the one it read last is not read again.
      await app.checkpoints.get(other);
      await expect(startRestore(app, id)).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:value_corrupt|checkpoint_format)/),
      });
    }
    await app.blobs.put({ key, body: whole });
    expect(await dumpOf(app)).toEqual(before);
    await restore(app, id);
  });

  it('is refused before anything is touched when any of its objects is, or is missing', {
    timeout: 120_000,
  }, async () => {
    const { app, id } = await small();
    const objects = [...namedObjects(await app.checkpoints.get(id))];
    expect(objects.length).toBe(4);
    const before = await dumpOf(app);
    const expectRefused = async () => {
      await expect(restore(app, id)).rejects.toThrow(/value_corrupt.*(?:nothing was changed|cannot be)/);
      await expect(restore(app, id, { dryRun: true })).rejects.toThrow('value_corrupt');
    };
    for (const { tenant, name } of objects) {
      const key = checkpointDataBlob(tenant as never, name);
      const whole = await bodyOf(app, key);
      for (const body of damages(whole, 12)) {
        await app.blobs.put({ key, body });
        await expectRefused();
      }
      await app.blobs.delete([key]);
      await expectRefused();
      await app.blobs.put({ key, body: whole });
    }
    expect(await dumpOf(app)).toEqual(before);
    expect((await restore(app, id)).totals).toMatchObject({ tenants_restored: 2 });
  });

  it('of which only some tenants are asked for, is read only of those', async () => {
    const { app, id, tenants } = await small();
    const [damaged, whole] = tenants;
    for (const { tenant, name } of namedObjects(await app.checkpoints.get(id)))
      if (tenant === damaged) await app.blobs.delete([checkpointDataBlob(tenant as never, name)]);
    await expect(restore(app, id)).rejects.toThrow('value_corrupt');
    expect(await restore(app, id, { tenants: [whole as never] })).toMatchObject({ totals: { tenants_restored: 1 } });
  });
});

describe('what cannot be restored [K3 K4]', () => {
  it('is told clearly: no such checkpoint, no such tenant in it, no tenants, another deployment', async () => {
    const { app, again, id } = await small();
    await expect(startRestore(app, newCheckpointId(newUlid(1)))).rejects.toMatchObject({
      code: 'checkpoint_not_found',
    });
    const nobody = newTenantId(newUlid(1));
    await expect(startRestore(app, id, { tenants: [nobody] })).rejects.toMatchObject({ code: 'tenant_not_found' });
    const { app: bare } = await stateApp();
    expect(await bare.checkpoints.list({ limit: 5 })).toMatchObject({ items: [] });
    await expect(startRestore(bare, id)).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    const none = (await checkpoint(bare)).checkpoint_id as string;
    await expect(startRestore(bare, none)).rejects.toMatchObject({ code: 'invalid_request' });
    await app.blobs.put({ key: DEPLOYMENT, body: Buffer.from(JSON.stringify({ id: newUlid(1) })) });
    await expect(startRestore(await again(), id)).rejects.toMatchObject({ code: 'checkpoint_foreign' });
  });

  it('waits for its turn: 409 while a checkpoint or a restore is under way', async () => {
    const { app, again, id } = await small();
    let busy: unknown = null;
    for (const name of ['begin-feed', 'load-records']) {
      let did = false;
      const watched = await again({
        failpoint: async (call) => {
          if (did || call.name !== name || call.phase !== 'before') return;
          did = true;
          busy = await startRestore(app, id).catch((error: unknown) => error);
        },
      });
      if (name === 'begin-feed') {
        const tenant = await newTenant(app);
        expect(tenant.tenant.id).toBeDefined();
        await checkpoint(watched);
      } else await restore(watched, id);
      expect(did).toBe(true);
      expect(busy).toMatchObject({ code: 'checkpoint_running', status: 409 });
    }
  });
});
