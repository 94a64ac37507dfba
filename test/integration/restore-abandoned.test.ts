/** What a restore loaded that was given up goes with the next checkpoint, whatever was restored meanwhile. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointCall } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { keysOfGeneration, listedGenerations } from '../support/old-generation.ts';
import { KilledError } from '../support/random-faults.ts';
import { restore, startRestore } from '../support/restoring.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';

beforeAll(() => void telemetry.logger.setLogLevel('SILENT'));

/** Ends once the first records are loaded. */
function createEnd() {
  let isOver = false;
  return ({ name, phase }: FailpointCall) => {
    isOver ||= name === 'load-records' && phase === 'after';
    if (isOver) throw new KilledError('ended');
  };
}

/** Loads, ends there, and is cancelled. */
async function giveUp(app: App, victim: App, checkpointId: string, changes: Parameters<typeof startRestore>[2] = {}) {
  await startRestore(victim, checkpointId, changes).catch(() => null);
  const [job] = (await app.jobs.list({ limit: 1 })).items;
  await app.jobs.cancel(job?.id as string, {});
}

describe.each(TRANSPORTS)('a restore that is given up, over %s [K3]', (transport) => {
  it('leaves nothing for ever, though another tenant is restored then', async () => {
    const { app, again } = await stateApp({ transport });
    const [given, other] = [await newTenant(app), await newTenant(app)];
    for (const { caller } of [given, other])
      await app.cache.set(
        caller,
        { namespace: 'ns', key: 'k' },
        { value: Buffer.from('v'), meta: { content_type: 'a/b' } },
      );
    const id = (await checkpoint(app)).checkpoint_id as string;
    await giveUp(app, await again({ failpoint: createEnd() }), id, { tenants: [given.tenant.id] });
    expect(await listedGenerations(app, given.tenant.id)).toEqual(['2']);
    await restore(app, id, { tenants: [other.tenant.id] });
    await checkpoint(app);
    expect(await listedGenerations(app, given.tenant.id)).toEqual([]);
    expect(await keysOfGeneration(app, given.tenant.id, 2)).toEqual([]);
  });

  it('leaves nothing of a tenant that Redis does not have', async () => {
    const { app, emptied } = await stateApp({ transport });
    const { caller, tenant } = await newTenant(app);
    await app.cache.set(
      caller,
      { namespace: 'ns', key: 'k' },
      { value: Buffer.from('v'), meta: { content_type: 'a/b' } },
    );
    const id = (await checkpoint(app)).checkpoint_id as string;
    let armed = true;
    const end = createEnd();
    const empty = await emptied({ transport, failpoint: (call) => (armed ? end(call) : undefined) });
    await startRestore(empty, id).catch(() => null);
    armed = false;
    const [job] = (await empty.jobs.list({ limit: 1 })).items;
    await empty.jobs.cancel(job?.id as string, {});
    expect(await listedGenerations(empty, tenant.id)).toEqual(['1']);
    await checkpoint(empty);
    expect(await listedGenerations(empty, tenant.id)).toEqual([]);
    expect(await keysOfGeneration(empty, tenant.id, 1)).toEqual([]);
  });
});
