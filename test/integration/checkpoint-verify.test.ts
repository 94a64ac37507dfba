/** Verifying a checkpoint: what counts as damage and what does not, step by step, and how long what was found is kept. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { NO_EPOCHS } from '../../lib/checkpoints/format/invalidation-epochs.ts';
import { FIRST_OBJECT, type VerifiedObject, verifyTenant } from '../../lib/checkpoints/verify-tenant.ts';
import { BlobUnavailableError } from '../../lib/errors.ts';
import type { TenantId } from '../../lib/ids.ts';
import { CHECKPOINT_VERDICTS, checkpointDataPrefix, erasureLogBlob, tenantKeysBlob } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant } from '../support/app.ts';
import { cacheLine, collect, createObjectMemory } from '../support/checkpoint-lines.ts';
import { tenantOf } from '../support/checkpoint-manifests.ts';
import { stateToolsOn } from '../support/checkpoint-view.ts';
import { checkpoint, jobResult, stateApp } from '../support/state-app.ts';

beforeAll(() => {
  telemetry.logger.setLogLevel('SILENT');
});

const put = (app: App, { caller }: Awaited<ReturnType<typeof newTenant>>, key = 'k') =>
  app.cache.set(caller, { namespace: 'ns', key }, { value: Buffer.from('v'), meta: { content_type: 'text/plain' } });

async function verify(app: App, id: unknown) {
  return jobResult(app, (await app.stateAdmin.verify(id as string, {})).id);
}

async function removeObjects(app: App, tenant: TenantId): Promise<number> {
  const { items } = await app.blobs.list({ prefix: checkpointDataPrefix(tenant) });
  await app.blobs.delete(items.map(({ key }) => key));
  return items.length;
}

describe('verifying a checkpoint [K3]', () => {
  it('works where Redis is empty, of tenants that encrypt as well', async () => {
    const { app, emptied } = await stateApp();
    await put(app, await newTenant(app));
    await put(app, await newTenant(app, { encryption: true }));
    const { checkpoint_id } = await checkpoint(app);
    expect(await verify(await emptied(), checkpoint_id)).toMatchObject({ ok: true, objects: 4, erased: 0 });
  });

  it('tells of objects that are gone, and of keys that are', async () => {
    const { app, emptied } = await stateApp();
    const [plain, sealed] = [await newTenant(app), await newTenant(app, { encryption: true })];
    for (const tenant of [plain, sealed]) await put(app, tenant);
    const { checkpoint_id } = await checkpoint(app);
    const gone = await removeObjects(app, plain.caller.tenantId);
    await app.blobs.delete([tenantKeysBlob(sealed.caller.tenantId)]);
    const result = await verify(await emptied(), checkpoint_id);
    expect(result).toMatchObject({ ok: false, objects: 4, damaged: 4 });
    const reasons = (result.problems as { tenant_id: string; reason: string }[]).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason.includes('missing'))).toHaveLength(gone);
    expect(reasons.filter((reason) => reason.includes('key'))).toHaveLength(2);
  });

  it('what was erased is no damage', async () => {
    const { app, emptied } = await stateApp();
    const [stays, goes] = [await newTenant(app), await newTenant(app)];
    for (const tenant of [stays, goes]) await put(app, tenant);
    const { checkpoint_id } = await checkpoint(app);
    await app.blobs.put({ key: erasureLogBlob(goes.caller.tenantId), body: Buffer.from('{}') });
    await removeObjects(app, goes.caller.tenantId);
    expect(await verify(await emptied(), checkpoint_id)).toMatchObject({ ok: true, objects: 2, erased: 1 });
  });

  it('what was found goes with the checkpoint', async () => {
    const { app } = await stateApp({ env: { PERSISTENCE_STATE_MAX_CHECKPOINTS: '1' } });
    await put(app, await newTenant(app));
    const first = (await checkpoint(app)).checkpoint_id as string;
    await verify(app, first);
    const verdicts = async () => (await app.blobs.list({ prefix: CHECKPOINT_VERDICTS })).items.length;
    expect([await app.stateAdmin.verdict(first), await verdicts()]).toMatchObject([{ ok: true }, 1]);
    await checkpoint(app);
    expect([await app.stateAdmin.verdict(first), await verdicts()]).toEqual([null, 0]);
  });

  it('of one that is removed meanwhile fails, and leaves nothing', async () => {
    const { app } = await stateApp();
    await put(app, await newTenant(app));
    const id = (await checkpoint(app)).checkpoint_id as string;
    const job = await app.stateAdmin.verify(id, {});
    await stateToolsOn(app).store.deleteManifest(id);
    await expect(jobResult(app, job.id)).rejects.toThrow('checkpoint_not_found');
    expect((await app.blobs.list({ prefix: CHECKPOINT_VERDICTS })).items).toEqual([]);
  });
});

describe('the objects of a tenant [K3]', () => {
  /** Two runs of two objects, whose lines follow each other. */
  async function twoRuns(lastKeys: readonly [string, string]) {
    const memory = createObjectMemory();
    const runs = [];
    for (const keys of [['a', 'b'], lastKeys]) {
      const objects = [];
      for (const key of keys) objects.push(...(await memory.write([cacheLine(key, 'c2,x')])).objects);
      runs.push({ started_at_ms: 1, epochs: NO_EPOCHS, objects });
    }
    return { memory, line: tenantOf(1, { runs }) };
  }
  const told = (objects: readonly VerifiedObject[]) => objects.map(({ reason }) => reason !== null);

  it('are read one by one, from wherever the call before has ended', async () => {
    const { memory, line } = await twoRuns(['a', 'c']);
    const all = await collect(verifyTenant(line, memory.source));
    expect(told(all)).toEqual([false, false, false, false]);
    for (const [at, { next }] of all.entries())
      expect(await collect(verifyTenant(line, memory.source, undefined, next))).toEqual(all.slice(at + 1));
    expect(await collect(verifyTenant(line, memory.source, undefined, FIRST_OBJECT))).toEqual(all);
  });

  it('are in order within a run, also across what ended in between', async () => {
    const { memory, line } = await twoRuns(['c', 'b']);
    const all = await collect(verifyTenant(line, memory.source));
    expect(told(all)).toEqual([false, false, false, true]);
    const third = all[2] as VerifiedObject;
    expect(told(await collect(verifyTenant(line, memory.source, undefined, third.next)))).toEqual([true]);
  });

  it('are each told of when any of their bytes is another', async () => {
    const { memory, line } = await twoRuns(['a', 'c']);
    const names = line.runs.flatMap(({ objects }) => objects.map(({ name }) => name));
    for (const [at, name] of names.entries()) {
      const sound = memory.objects.get(name) as Buffer;
      for (let byte = 0; byte < sound.length; byte++) {
        const damaged = Buffer.from(sound);
        damaged.writeUInt8(damaged.readUInt8(byte) ^ 0x40, byte);
        memory.objects.set(name, damaged);
        expect(told(await collect(verifyTenant(line, memory.source)))[at], `byte ${byte}`).toBe(true);
      }
      memory.objects.set(name, sound);
    }
  });

  it('of a store that does not answer are no damage: the call fails', async () => {
    const { memory, line } = await twoRuns(['a', 'c']);

    const source = { ...memory.source, read: () => Promise.reject(new BlobUnavailableError('down')) };
    await expect(collect(verifyTenant(line, source))).rejects.toThrow('down');
  });
});
