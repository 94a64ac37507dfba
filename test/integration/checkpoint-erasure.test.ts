/** A tenant that is erased while its data is on its way to S3, by a checkpoint or by a restore: nothing of it is left there. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { tenantBlobPrefixes } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointCall } from '../../lib/redis/failpoints.ts';
import { newTenant } from '../support/app.ts';
import { restore } from '../support/restoring.ts';
import { spillAll, texts } from '../support/spill-tools.ts';
import { checkpoint, jobResult, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

beforeAll(() => void telemetry.logger.setLogLevel('SILENT'));

/** With hot sessions; erased before the first object that is put after a call of that script. */
async function erasedTenant(script: string) {
  let armed = false;
  const erasing = { isDone: true };
  const { app, again } = await stateApp({ transport: 'tcp' });
  const { caller, tenant } = await newTenant(app);
  const sessions: string[] = [];
  for (let i = 0; i < 3; i++)
    sessions.push((await app.sessions.create(caller, { userId: 'ada', data: texts({ i }) })).id);
  const victim = await again({
    failpoint: async ({ port, name, phase }: FailpointCall) => {
      armed ||= name === script;
      if (erasing.isDone || !armed || port !== 'blobs' || name !== 'put' || phase !== 'before') return;
      erasing.isDone = true;
      await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
      await app.erasure.eraseDue();
      expect(await objectsOf(app, tenant.id)).toEqual([]);
    },
  });
  return { app, victim, tenant, sessions, erasing };
}

async function objectsOf(app: App, id: TenantId): Promise<readonly string[]> {
  const found = await Promise.all(tenantBlobPrefixes(id).map((prefix) => app.blobs.list({ prefix })));
  return found.flatMap(({ items }) => items.map(({ key }) => key));
}

/** No room for hot sessions is left, and none of them is hot. */
async function withoutRoom(app: App, id: TenantId): Promise<void> {
  await spillAll(app, id);
  await app.redis.send(['HSET', keysOf(app).gate(id), 'b', 'b1,0,1'], { kind: 'write' });
}

describe('what is on its way to S3 while its tenant is erased [A8 K1 K3]', () => {
  it('is not left there by a checkpoint', async () => {
    const { app, victim, tenant, erasing } = await erasedTenant('begin-feed');
    const other = await newTenant(app);
    erasing.isDone = false;
    const { checkpoint_id } = await checkpoint(victim);
    expect(erasing.isDone).toBe(true);
    const { tenants } = await app.checkpoints.get(checkpoint_id as string);
    expect(tenants.map((line) => line.tenant)).toEqual([other.tenant.id]);
    expect(await objectsOf(app, tenant.id)).toEqual([]);
  });

  it('is not left there by a restore that moves sessions', async () => {
    const { app, victim, tenant, erasing } = await erasedTenant('load-records');
    const { checkpoint_id } = await checkpoint(app);
    await withoutRoom(app, tenant.id);
    erasing.isDone = false;
    const { tenants } = await restore(victim, checkpoint_id as string);
    expect(erasing.isDone).toBe(true);
    expect(tenants).toMatchObject([{ outcome: 'erased' }]);
    expect(await objectsOf(app, tenant.id)).toEqual([]);
  });

  it('is not left there by the restore of one session', async () => {
    const { app, victim, tenant, sessions, erasing } = await erasedTenant('register-object');
    const { checkpoint_id } = await checkpoint(app);
    const [, session = ''] = (sessions[0] as string).split('-');
    erasing.isDone = false;
    const job = await victim.restores.start({
      checkpointId: checkpoint_id as string,
      scope: { kind: 'session', tenant: tenant.id, session },
      ...{ dryRun: false, sessions: 'known', cache: true },
    });
    await jobResult(victim, job.id);
    expect(erasing.isDone).toBe(true);
    expect(await objectsOf(app, tenant.id)).toEqual([]);
  });
});
