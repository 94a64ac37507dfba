/** What a checkpoint says of tenants is what Redis has of them, whatever they have. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { createReclaim } from '../../lib/cache/invalidation/reclaim.ts';
import type { CheckpointManifest } from '../../lib/checkpoints/format/manifest-schema.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { checkpointView, expectCheckpointEquals, redisView } from '../support/checkpoint-view.ts';
import { useClusterApp } from '../support/cluster-app.ts';
import { gateState } from '../support/gate-state.ts';
import { passMs } from '../support/redis-time.ts';
import { spillAll, texts } from '../support/spill-tools.ts';
import { checkpoint, newBucket, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

const named = (key: string, namespace = 'ns') => ({ namespace, key });
const meta = { content_type: 'text/plain' };
const tagged = (...tags: string[]) => ({ ...meta, tags });
const set = (app: App, caller: Caller, key: string, value: Buffer | string = 'v', more: object = {}) =>
  app.cache.set(caller, named(key), { value: Buffer.from(value), meta, ttlMs: null, ...more });

/** The newest checkpoint, made now. */
async function taken(app: App, changes: { readonly cache?: boolean } = {}): Promise<CheckpointManifest> {
  return app.checkpoints.get((await checkpoint(app, changes)).checkpoint_id as string);
}

const lineOf = ({ tenants }: CheckpointManifest, { tenantId }: Caller) => {
  const found = tenants.find(({ tenant }) => tenant === tenantId);
  if (found === undefined) throw new Error('The checkpoint has no such tenant');
  return found;
};

/** Entries of every codec and kind of life, and sessions of every kind. */
async function fill(app: App, caller: Caller): Promise<void> {
  await set(app, caller, 'text', 'ž\u{1f642} "quoted"\n');
  await set(app, caller, 'packed', 'abcdefgh'.repeat(4_000));
  await set(app, caller, 'raw', randomBytes(5_000));
  await set(app, caller, 'large', randomBytes(400_000));
  await set(app, caller, 'k\n%/\u{1f642}', 'odd name', { meta: tagged('red', 'yellow') });
  await set(app, caller, 'expires', 'v', { ttlMs: 3_600_000 });
  await set(app, caller, 'stale', 'v', { ttlMs: 1, graceMs: 3_600_000 });
  await set(app, caller, 'over', 'v', { ttlMs: 1, graceMs: 0 });
  await app.cache.increment(caller, named('number'), 42, { ttlMs: null, graceMs: 0 });
  await app.cache.getOrSet(caller, named('absent'), async () => null).catch(() => null);
  const create = (userId?: string, data = texts({ a: 1 })) =>
    app.sessions.create(caller, { ...(userId === undefined ? {} : { userId }), data, metadata: { source: 'web' } });
  await create('spilled');
  await spillAll(app, caller.tenantId);
  await create();
  await create('ada%\u{e000}');
  const rotated = await create('bob');
  await app.sessions.rotate(caller, rotated.id, {});
  const moved = await create('before');
  await app.sessions.rotate(caller, moved.id, { userId: 'after' });
  await create('large', texts({ large: 'x'.repeat(900_000) }));
  const ended = await create('ended');
  await app.sessions.terminate(caller, ended.id);
  await passMs(app);
}

describe.each(TRANSPORTS)('what a checkpoint says, over %s [K1]', (transport) => {
  let app: App;
  beforeAll(async () => {
    ({ app } = await stateApp({ transport, env: { PERSISTENCE_STATE_SESSION_MAX_BYTES: '1MB' } }));
  });

  it.each([false, true])('is all there is, sealed: %s', async (encryption) => {
    const { caller } = await newTenant(app, { encryption });
    await fill(app, caller);
    const manifest = await taken(app);
    expect(await expectCheckpointEquals(app, manifest, [caller.tenantId])).toBeGreaterThan(13);
    const { runs, counts } = lineOf(manifest, caller);
    expect(runs[0]?.objects.flatMap(({ frames }) => frames.map(({ sealed }) => sealed))).toContain(encryption);
    const records = [...(await checkpointView(app, lineOf(manifest, caller))).values()];
    expect(counts.session).toBe(records.filter(({ kind }) => kind === 'session').length);
    expect(records.filter((record) => 'stub' in record)).toHaveLength(1);
    expect(records.some((record) => record.kind === 'cache' && record.key === 'over')).toBe(false);
  });

  it('is of thousands of records in pages and frames, and of each once', async () => {
    const { caller } = await newTenant(app);
    for (let part = 0; part < 8; part++) {
      const entries = Array.from({ length: 100 }, (_, i) => ({
        ...{ key: `k${part}-${i}`, value: randomBytes(8_000), meta, ttlMs: null },
        graceMs: 0,
      }));
      await app.cache.setMany(caller, 'ns', entries);
    }
    const manifest = await taken(app);
    expect(await expectCheckpointEquals(app, manifest, [caller.tenantId])).toBe(800);
    const objects = lineOf(manifest, caller).runs.flatMap((run) => run.objects);
    expect(objects.flatMap(({ frames }) => frames).length).toBeGreaterThan(1);
  });

  it('has tenants that are deleted and may come back, and none that were erased', async () => {
    const [pending, erased] = [await newTenant(app), await newTenant(app)];
    for (const { caller } of [pending, erased]) await set(app, caller, 'k');
    await app.tenantAdmin.remove(pending.caller.tenantId, { undoMs: 3_600_000, ifMatch: undefined } as never);
    await app.tenantAdmin.remove(erased.caller.tenantId, { undoMs: 0, ifMatch: undefined } as never);
    await app.erasure.eraseDue();
    const { tenants } = await taken(app);
    const ids = tenants.map(({ tenant }) => tenant);
    expect(ids).toContain(pending.caller.tenantId);
    expect(ids).not.toContain(erased.caller.tenantId);
  });

  it('says where the cache is left out that it is, and has sessions only', async () => {
    const { caller } = await newTenant(app);
    await fill(app, caller);
    const manifest = await taken(app, { cache: false });
    expect(manifest.header).toMatchObject({ cache: false, counts: { cache: 0 } });
    const said = await checkpointView(app, lineOf(manifest, caller));
    const sessions = [...(await redisView(app, caller.tenantId))].filter(([order]) => order.startsWith('s\0'));
    expect(said).toEqual(new Map(sessions));
  });

  const INVALIDATIONS = [
    { by: 'all' },
    { by: 'namespace', namespace: 'ns' },
    { by: 'tags', tags: ['red'] },
    { by: 'keys', namespace: 'ns', keys: ['k0', 'k1'] },
  ] as const;

  it.each(INVALIDATIONS)('has nothing that is invalidated by $by, before or after it is settled', async (selector) => {
    const { caller } = await newTenant(app);
    const ids = [caller.tenantId];
    const invalidate = () => app.invalidation.invalidate(caller, { selector: selector as never, dry: false });
    const settle = () =>
      createReclaim({ redis: app.redis, keys: keysOf(app), settleAfterMs: 0 }).run({
        id: caller.tenantId,
        generation: 1,
      });
    const fillAgain = async () => {
      for (let i = 0; i < 4; i++) await set(app, caller, `k${i}`, 'v', { meta: i % 2 === 0 ? tagged('red') : meta });
    };
    await fillAgain();
    await invalidate();
    expect(await expectCheckpointEquals(app, await taken(app), ids, 'invalidated before')).toBeLessThan(3);
    await settle();
    await expectCheckpointEquals(app, await taken(app), ids, 'settled');
    await fillAgain();
    expect(await expectCheckpointEquals(app, await taken(app), ids, 'written again')).toBe(4);
    // Nothing else is done to the tenant.
    await invalidate();
    expect(await expectCheckpointEquals(app, await taken(app), ids, 'invalidated since')).toBeLessThan(3);
    await expectCheckpointEquals(app, await taken(app), ids, 'invalidated before both');
    await fillAgain();
    await settle();
    expect(await expectCheckpointEquals(app, await taken(app), ids, 'written and settled')).toBe(4);
  });

  it('has a session under the user it was given, though it was told of under another', async () => {
    const { caller } = await newTenant(app);
    const { id } = await app.sessions.create(caller, { userId: 'bob', data: texts({ a: 1 }) });
    await taken(app);
    await app.sessions.update(caller, id, { set: texts({ a: 2 }), remove: [], replace: false });
    await app.sessions.rotate(caller, id, { userId: 'ada' });
    expect(await expectCheckpointEquals(app, await taken(app), [caller.tenantId])).toBe(1);
  });

  it('is whole though there is no tenant, and of a tenant that has nothing', async () => {
    const { app: empty } = await stateApp({ transport });
    expect((await taken(empty)).header).toMatchObject({ tenants: 0, bytes: 0, counts: { cache: 0, session: 0 } });
    const { caller } = await newTenant(empty);
    const manifest = await taken(empty);
    expect(lineOf(manifest, caller)).toMatchObject({ runs: [{ objects: [] }], counts: { cache: 0, session: 0 } });
    expect(await expectCheckpointEquals(empty, manifest, [caller.tenantId])).toBe(0);
    expect((await gateState(empty, caller.tenantId).meter()).feedEpoch).toBeGreaterThan(0n);
  });
});

describe('checkpoints on a cluster [K1]', () => {
  const cluster = useClusterApp(async () => ({ PERSISTENCE_BLOBS_BUCKET: await newBucket() }));

  it('say what is there', async () => {
    const app = cluster();
    const tenants = [await newTenant(app), await newTenant(app, { encryption: true })];
    for (const { caller } of tenants) await fill(app, caller);
    const ids = tenants.map(({ caller }) => caller.tenantId);
    await expectCheckpointEquals(app, await taken(app), ids);
    for (const { caller } of tenants) await set(app, caller, 'text', 'changed');
    await expectCheckpointEquals(app, await taken(app), ids);
  });
});
