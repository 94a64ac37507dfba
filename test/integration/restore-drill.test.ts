/** The restore drill: the newest checkpoint is loaded where nothing reads it, and removed again. */
import { describe, expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { checkpointBlob, RESTORE_DRILL } from '../../lib/keys.ts';
import { newTenant } from '../support/app.ts';
import { KilledError } from '../support/random-faults.ts';
import { checkpoint, jobResult, stateApp } from '../support/state-app.ts';

const named = (key: string) => ({ namespace: 'ns', key });
const META = { content_type: 'text/plain' };
const DRILL = { env: { PERSISTENCE_STATE_RESTORE_DRILL_INTERVAL_SECONDS: '3600' } };

async function scanned(app: Awaited<ReturnType<typeof stateApp>>['app']): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const match = `${app.config.cache.keyPrefix}:*drill:*`;
    const [next, keys] = (await app.redis.send(['SCAN', cursor, 'MATCH', match, 'COUNT', 1000], { kind: 'read' })) as [
      string,
      string[],
    ];
    found.push(...keys);
    cursor = next;
  } while (cursor !== '0');
  return found;
}

const drilled = async (app: Awaited<ReturnType<typeof stateApp>>['app']) => {
  await app.drills.startDue();
  const job = (await app.jobs.list({ limit: 10 })).items.find(({ kind }) => kind === 'restore-drill');
  return jobResult(app, job?.id ?? '');
};

describe('the restore drill [K3]', () => {
  it('is off by default', async () => {
    const { app } = await stateApp();
    expect(await app.drills.startDue()).toEqual({ drills: 0 });
  });

  it('loads the newest checkpoint, counts it, keeps its verdict, and leaves nothing behind', async () => {
    const { app } = await stateApp(DRILL);
    const { caller } = await newTenant(app);
    const sealed = await newTenant(app, { encryption: true });
    for (let i = 0; i < 300; i++) await app.cache.set(caller, named(`k${i}`), { value: Buffer.from('v'), meta: META });
    await app.cache.set(sealed.caller, named('k'), { value: Buffer.from('v'), meta: META });
    const { checkpoint_id } = await checkpoint(app);
    expect(await app.drills.startDue()).toEqual({ drills: 1 });
    const { items } = await app.jobs.list({ limit: 10 });
    const job = items.find(({ kind }) => kind === 'restore-drill');
    const verdict = await jobResult(app, job?.id ?? '');
    expect(verdict).toMatchObject({ ok: true, checkpoint_id, tenants: 2, records: 301, left_out: 0, problems: [] });
    const kept = await app.blobs.get(RESTORE_DRILL);
    expect(JSON.parse(kept?.body.toString() ?? '')).toEqual(verdict);
    expect(await scanned(app)).toEqual([]);
    // Once in its slot.
    expect(await app.drills.startDue()).toEqual({ drills: 0 });
    expect((await app.cache.get(caller, named('k7'))) !== null).toBe(true);
  });

  it('removes what one that was cancelled has left', async () => {
    let armed = true;
    const { app, again } = await stateApp(DRILL);
    const victim = await again({
      failpoint: ({ name, phase }) => {
        if (armed && name === 'load-records' && phase === 'after') throw new KilledError('ended');
      },
    });
    const [first, second] = [await newTenant(app), await newTenant(app)];
    for (const { caller } of [first, second])
      await app.cache.set(caller, named('k'), { value: Buffer.from('v'), meta: META });
    await checkpoint(app);
    await expect(drilled(victim)).rejects.toThrow();
    expect((await scanned(app)).some((key) => key.includes(first.tenant.id))).toBe(true);
    armed = false;
    await app.tenantAdmin.remove(first.tenant.id, { undoMs: 0 });
    await app.erasure.eraseDue();
    await checkpoint(app);
    // Another slot.
    const other = await again({ env: { PERSISTENCE_STATE_RESTORE_DRILL_INTERVAL_SECONDS: '7201' } });
    await other.drills.startDue();
    const job = (await app.jobs.list({ limit: 10 })).items.find(
      ({ kind, status }) => kind === 'restore-drill' && status !== 'failed',
    );
    expect(await jobResult(other, job?.id ?? '')).toMatchObject({ ok: true, tenants: 1 });
    expect(await scanned(app)).toEqual([]);
  });

  it('tells what is damaged', async () => {
    const { app } = await stateApp(DRILL);
    const { caller, tenant } = await newTenant(app);
    await app.cache.set(caller, named('k'), { value: Buffer.from('v'), meta: META });
    await checkpoint(app);
    const { items } = await app.blobs.list({ prefix: `checkpoint-data/${tenant.id}/` });
    for (const { key } of items) {
      const body = Buffer.from((await app.blobs.get(key))?.body ?? []);
      body[20] = (body[20] ?? 0) ^ 1;
      await app.blobs.put({ key, body });
    }
    expect(await drilled(app)).toMatchObject({ ok: false, problems: [expect.stringContaining(tenant.id)] });
  });

  it('takes the newest of all tenants, not what a restore made of some', async () => {
    const { app } = await stateApp(DRILL);
    const { caller } = await newTenant(app);
    await newTenant(app);
    await app.cache.set(caller, named('k'), { value: Buffer.from('v'), meta: META });
    const { checkpoint_id } = await checkpoint(app);
    const scope = { kind: 'tenants', tenants: [caller.tenantId] } as const;
    const how = { scope, dryRun: false, sessions: 'known', cache: true } as const;
    const { id } = await app.restores.start({ checkpointId: String(checkpoint_id), ...how, opId: newUlid(Date.now()) });
    await jobResult(app, id);
    expect((await app.checkpoints.list({ limit: 10 })).items[0]).toMatchObject({ type: 'safety', tenants: 1 });
    expect(await drilled(app)).toMatchObject({ ok: true, checkpoint_id, tenants: 2 });
  });

  it('tells of a manifest that cannot be read', async () => {
    const { app, again } = await stateApp(DRILL);
    await newTenant(app);
    const key = checkpointBlob(String((await checkpoint(app)).checkpoint_id));
    const metadata = (await app.blobs.head(key))?.metadata ?? {};
    const body = Buffer.from((await app.blobs.get(key))?.body ?? []);
    body[40] = (body[40] ?? 0) ^ 1;
    await app.blobs.put({ key, body, metadata });
    expect(await drilled(await again())).toMatchObject({ ok: false, tenants: 0, problems: [expect.any(String)] });
  });
});
