/** After a restore all is as it was when the checkpoint was made, and stays so: whatever is reclaimed, retired and undone afterwards. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { DOOMED_FOR_MS } from '../../lib/cleaning/doomed-objects.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { auditCache } from '../support/cache-audit.ts';
import { letDoomedFallDue } from '../support/cache-blobs.ts';
import { keysOfGeneration, listedGenerations } from '../support/old-generation.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { type Known, livingRecords, restore, visibleTo } from '../support/restoring.ts';
import { spillToolsOn, texts } from '../support/spill-tools.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { generationOf, keysOf } from '../support/tenant-state.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const META = { content_type: 'text/plain' };
const named = (key: string, namespace = 'ns') => ({ namespace, key });
const env = { PERSISTENCE_CACHE_INLINE_MAX_BYTES: '2000' };

/** Entries of every kind and sessions, hot and in S3. */
async function fullTenant(app: App, changes: object = {}): Promise<Known> {
  const { caller } = await newTenant(app, changes);
  const set = (key: string, value: Buffer, more: object = {}, namespace = 'ns') =>
    app.cache.set(caller, named(key, namespace), { value, meta: META, ...more });
  for (let i = 0; i < 20; i++) await set(`k${i}`, Buffer.from(`v${i}`));
  await set('tagged', Buffer.from('t'), { meta: { ...META, tags: ['a', 'b'], attributes: { x: 'ä' } } });
  await set('aging', Buffer.from('x'), { ttlMs: 3_600_000, graceMs: 60_000 });
  await set('packed', Buffer.alloc(1_500, 'abcd'));
  await set('large', randomBytes(30_000), { meta: { ...META, tags: ['a'] } });
  await set('kept', randomBytes(30_000));
  await set('odd\u0001%:key', Buffer.from([0, 255]), {}, 'other');
  await app.cache.increment(caller, named('count'), 5, { ttlMs: null, graceMs: 0 });
  const sessions: string[] = [];
  for (let i = 0; i < 6; i++) {
    const user = i === 5 ? {} : { userId: i % 2 ? 'ada' : 'bob%' };
    const made = await app.sessions.create(caller, { ...user, metadata: { source: 's' }, data: texts({ i, b: 'ö' }) });
    sessions.push(made.id);
  }
  await app.sessions.update(caller, sessions[1] as string, { set: texts({ more: [1] }) });
  await spill(app, caller, 3);
  return { caller, sessions, namespaces: ['ns', 'other'], users: ['ada', 'bob%'] };
}

async function spill(app: App, { tenantId: id }: Caller, count: number): Promise<void> {
  const { coldest, spiller } = spillToolsOn(app);
  const place = { id, generation: await generationOf(app, id) };
  await spiller.spill(place, await coldest.find(place, count));
}

/** Nothing stays as it was. */
async function changeAll(app: App, { caller, sessions }: Known): Promise<Known> {
  for (const key of ['k0', 'tagged', 'packed', 'large', 'count'])
    await app.cache.set(caller, named(key), { value: randomBytes(key === 'large' ? 20_000 : 10), meta: META });
  await app.cache.delete(caller, named('k1'));
  await app.cache.delete(caller, named('kept'));
  await app.cache.touch(caller, named('aging'), { ttlMs: 7_200_000, graceMs: 0 });
  await app.cache.set(caller, named('added'), { value: Buffer.from('new'), meta: { ...META, tags: ['a'] } });
  await app.invalidation.invalidate(caller, { selector: { by: 'namespace', namespace: 'other' }, dry: false });
  for (const id of sessions.slice(0, 4)) await app.sessions.update(caller, id, { set: texts({ changed: id }) });
  const made = await app.sessions.create(caller, { userId: 'ada', data: texts({ new: true }) });
  await spill(app, caller, 2);
  return { caller, sessions: [...sessions, made.id], namespaces: ['ns', 'other'], users: ['ada', 'bob%'] };
}

/** As if hours had passed: what nothing uses is gone, but for what checkpoints name. */
async function letAllGo(app: App, known: readonly Known[]): Promise<void> {
  for (let i = 0; i < 2; i++) {
    for (const { caller } of known)
      await letDoomedFallDue(app, keysOf(app), caller.tenantId, (await redisTimeMs(app)) - DOOMED_FOR_MS);
    await app.cleanUp.run();
  }
}

async function expectTidy(app: App, { caller: { tenantId: id } }: Known): Promise<void> {
  await auditCache(app, id);
  expect(await listedGenerations(app, id)).toEqual([]);
  const generation = await generationOf(app, id);
  for (let old = 1; old < generation; old++) expect(await keysOfGeneration(app, id, old)).toEqual([]);
}

describe.each(TRANSPORTS)('what is there after a restore, over %s [K3 A13]', (transport) => {
  it('is what was there when the checkpoint was made: plain and sealed, hot and cold', {
    timeout: 120_000,
  }, async () => {
    const { app } = await stateApp({ transport, env });
    const known = [await fullTenant(app), await fullTenant(app, { encryption: true })];
    const { checkpoint_id } = await checkpoint(app);
    const records = [];
    for (const { caller } of known) records.push(await livingRecords(app, caller.tenantId));
    const later = [];
    for (const one of known) later.push(await changeAll(app, one));
    const { totals } = await restore(app, checkpoint_id as string);
    expect(totals).toMatchObject({ tenants: 2, tenants_restored: 2, sessions: 12, damaged: 0 });
    for (const [i, one] of later.entries()) {
      const id = one.caller.tenantId;
      expect(await livingRecords(app, id)).toEqual(records[i]);
      await expectTidy(app, one);
    }
  });

  it('reads the same, also after all that nothing uses is gone, and is undone, and undone again', {
    timeout: 120_000,
  }, async () => {
    const { app } = await stateApp({ transport, env: { ...env, PERSISTENCE_STATE_MAX_CHECKPOINTS: '3' } });
    const known = [await fullTenant(app), await fullTenant(app, { encryption: true })];
    const { checkpoint_id } = await checkpoint(app);
    const see = async (all: readonly Known[]) => {
      const seen = [];
      for (const one of all) seen.push(await visibleTo(app, one));
      return seen;
    };
    const later: Known[] = [];
    const before = await see(known);
    for (const one of known) later.push(await changeAll(app, one));
    const after = await see(later);
    for (const [i, one] of before.entries())
      before[i] = { ...one, sessions: { ...one.sessions, [later[i]?.sessions.at(-1) ?? '']: null } };

    const done = await restore(app, checkpoint_id as string);
    await letAllGo(app, later);
    expect(await see(later)).toEqual(before);
    const undone = await restore(app, done.undo_checkpoint_id as string);
    await letAllGo(app, later);
    expect(await see(later)).toEqual(after);
    await restore(app, undone.undo_checkpoint_id as string);
    await letAllGo(app, later);
    expect(await see(later)).toEqual(before);

    // Those it came from are retired.
    for (let i = 0; i < 4; i++) await checkpoint(app);
    await letAllGo(app, later);
    expect(await see(later)).toEqual(before);
    const items = (await app.checkpoints.list({ limit: 20 })).items;
    expect(items.map(({ id }) => id)).not.toContain(checkpoint_id);
    for (const one of later) await expectTidy(app, one);
  });

  it('is exact from one generation to the next, also from 9 to 10', { timeout: 120_000 }, async () => {
    const { app } = await stateApp({ transport, env });
    const known = await fullTenant(app);
    const id = known.caller.tenantId;
    const { checkpoint_id } = await checkpoint(app);
    const records = await livingRecords(app, id);
    for (let generation = 2; generation <= 11; generation++) {
      await app.cache.set(known.caller, named('k3'), { value: randomBytes(20), meta: META });
      await restore(app, checkpoint_id as string);
      expect(await generationOf(app, id)).toBe(generation);
      await expectTidy(app, known);
      expect(await livingRecords(app, id)).toEqual(records);
    }
    // A checkpoint of what was restored says the same.
    const again = await checkpoint(app);
    await app.cache.delete(known.caller, named('k4'));
    await restore(app, again.checkpoint_id as string);
    expect(await livingRecords(app, id)).toEqual(records);
    await expectTidy(app, known);
  });

  it('of a checkpoint without the cache, or asked for without it, is an empty cache, which undoing fills again', async () => {
    const { app } = await stateApp({ transport, env });
    const known = await fullTenant(app);
    const id = known.caller.tenantId;
    const ids = [
      (await checkpoint(app, { cache: true })).checkpoint_id as string,
      (await checkpoint(app, { cache: false })).checkpoint_id as string,
    ];
    const all = await livingRecords(app, id);
    const sessions = Object.fromEntries(Object.entries(all).filter(([order]) => order.startsWith('s\0')));
    for (const [i, without] of ids.entries()) {
      const { undo_checkpoint_id } = await restore(app, without, { cache: i === 1 });
      expect(await livingRecords(app, id)).toEqual(sessions);
      await expectTidy(app, known);
      await restore(app, undo_checkpoint_id as string);
      expect(await livingRecords(app, id)).toEqual(all);
      await expectTidy(app, known);
    }
  });
});
