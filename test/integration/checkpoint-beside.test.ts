/** What comes between: a feed that ends while it is read, a checkpoint that is retired while another builds upon it, a second one. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { trimFeed } from '../../lib/redis/bindings/checkpoint-scripts.ts';
import type { FailpointCall } from '../../lib/redis/failpoints.ts';
import { runScript } from '../../lib/redis/script.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { expectCheckpointEquals } from '../support/checkpoint-view.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

beforeAll(() => void telemetry.logger.setLogLevel('SILENT'));

const meta = { content_type: 'text/plain' };
const set = (app: App, caller: Caller, key: string, value: string, tags: readonly string[] = []) =>
  app.cache.set(caller, { namespace: 'ns', key }, { value: Buffer.from(value), meta: { ...meta, tags: [...tags] } });

/** As cleaning ends one that nobody asked for, or another checkpoint forgets what it knows of. */
const trim = (app: App, { tenantId: id }: Caller, epoch: number) =>
  runScript(app.redis, trimFeed, {
    keys: { gate: keysOf(app).gate(id), index: keysOf(app).index(id, 1) },
    args: { epoch, limit: 500 },
    kind: 'write',
  });

describe.each(TRANSPORTS)('beside a checkpoint, over %s [K1 K2]', (transport) => {
  it.each([
    ['ends', 0],
    ['is cut short', 99_999_999_999_998],
  ])('a feed that %s while it is read: the tenant is written anew', async (_how, epoch) => {
    let armed = false;
    let caller: Caller;
    const { app, again } = await stateApp({ transport });
    const victim = await again({
      failpoint: async ({ name, phase }: FailpointCall) => {
        if (!armed || name !== 'begin-feed' || phase !== 'after') return;
        armed = false;
        await trim(app, caller, epoch);
      },
    });
    ({ caller } = await newTenant(app));
    await set(app, caller, 'kept', '1');
    await set(app, caller, 'changed', '1');
    await checkpoint(victim);
    await set(app, caller, 'changed', '2');
    armed = true;
    const { checkpoint_id } = await checkpoint(victim);
    expect(armed).toBe(false);
    const manifest = await app.checkpoints.get(checkpoint_id as string);
    expect(manifest.tenants[0]?.runs).toHaveLength(1);
    await expectCheckpointEquals(app, manifest, [caller.tenantId]);
  });

  it('one that is retired while another builds upon it: that one is written anew', async () => {
    let armed = false;
    const { app, again } = await stateApp({ transport });
    const base = { id: '' };
    const victim = await again({
      failpoint: async ({ name, phase }: FailpointCall) => {
        if (!armed || name !== 'begin-feed' || phase !== 'after') return;
        armed = false;
        const { tenants } = await app.checkpoints.get(base.id);
        for (const { tenant, runs } of tenants)
          for (const { name: object } of runs.flatMap(({ objects }) => objects))
            await app.blobs.delete([`checkpoint-data/${tenant}/${object}.ckpt`]);
        await app.blobs.delete([`checkpoints/${base.id}.ckpt`]);
      },
    });
    const { caller } = await newTenant(app);
    await set(app, caller, 'kept', '1');
    await set(app, caller, 'changed', '1');
    base.id = (await checkpoint(victim)).checkpoint_id as string;
    await set(app, caller, 'changed', '2');
    armed = true;
    const { checkpoint_id, base: upon } = await checkpoint(victim);
    expect(armed).toBe(false);
    expect(upon).toBe(null);
    await expectCheckpointEquals(app, await app.checkpoints.get(checkpoint_id as string), [caller.tenantId]);
  });

  it('that of a host that stops: no other begins', async () => {
    let other: unknown = null;
    const env = { PERSISTENCE_STATE_SHUTDOWN_CHECKPOINT: 'true' };
    const { app, again } = await stateApp({ transport, env });
    const { caller } = await newTenant(app);
    await set(app, caller, 'k', '1');
    const stopping = await again({
      failpoint: async ({ name, phase }: FailpointCall) => {
        if (other !== null || name !== 'begin-feed' || phase !== 'after') return;
        other = await checkpoint(app).catch((error: unknown) => error);
      },
    });
    const made = await stopping.checkpoints.makeLast(new AbortController().signal);
    expect(made?.header.type).toBe('shutdown');
    expect(other).toMatchObject({ code: 'checkpoint_running' });
    expect(await checkpoint(app)).toMatchObject({ base: made?.header.id });
  });

  it('more invalidations than a script can unpack at once are all in it', async () => {
    const { app } = await stateApp({ transport });
    const { caller } = await newTenant(app);
    const tags = (from: number) => Array.from({ length: 100 }, (_, i) => `t${from + i}`);
    await set(app, caller, 'hidden', '1', ['t4999']);
    await set(app, caller, 'kept', '1', ['u']);
    for (let from = 0; from < 5_000; from += 100)
      await app.invalidation.invalidate(caller, { selector: { by: 'tags', tags: tags(from) }, dry: false });
    const { checkpoint_id } = await checkpoint(app);
    const manifest = await app.checkpoints.get(checkpoint_id as string);
    expect(Object.keys(manifest.tenants[0]?.runs[0]?.epochs.tags ?? {})).toHaveLength(5_000);
    await expectCheckpointEquals(app, manifest, [caller.tenantId]);
  });
});
