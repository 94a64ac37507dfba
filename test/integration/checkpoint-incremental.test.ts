/** A checkpoint costs what changed; what is kept is whole, and what nothing names goes. */
import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { MAX_RUNS } from '../../lib/checkpoints/format/compaction-policy.ts';
import { namedObjects } from '../../lib/checkpoints/format/manifest.ts';
import type { CheckpointManifest } from '../../lib/checkpoints/format/manifest-schema.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { CHECKPOINT_DATA, checkpointBlob, checkpointDataBlob } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { blobsOf, doomedOf } from '../support/cache-blobs.ts';
import { checkpointView, expectCheckpointEquals, livingAt, stateToolsOn } from '../support/checkpoint-view.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { sessionObjects, spillAll, texts } from '../support/spill-tools.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

const KEPT = 3;
const meta = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const set = (app: App, caller: Caller, key: string, value: Buffer | string = 'v') =>
  app.cache.set(caller, named(key), { value: Buffer.from(value), meta, ttlMs: null });

async function setMany(app: App, caller: Caller, count: number, bytes = 100): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const entries = Array.from({ length: Math.min(100, count - from) }, (_, i) => ({
      ...{ key: `k${from + i}`, value: randomBytes(bytes), meta, ttlMs: null },
      graceMs: 0,
    }));
    await app.cache.setMany(caller, 'ns', entries);
  }
}

const taken = async (app: App): Promise<CheckpointManifest> =>
  app.checkpoints.get((await checkpoint(app)).checkpoint_id as string);

const lineOf = ({ tenants }: CheckpointManifest, { tenantId }: Caller) => {
  const found = tenants.find(({ tenant }) => tenant === tenantId);
  if (found === undefined) throw new Error('The checkpoint has no such tenant');
  return found;
};

async function dataObjects(app: App): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await app.blobs.list({ prefix: CHECKPOINT_DATA, cursor });
    keys.push(...page.items.map(({ key }) => key));
    if (page.nextCursor === null) return keys.toSorted();
    cursor = page.nextCursor;
  }
}

const namesOf = (manifest: CheckpointManifest) =>
  [...namedObjects(manifest)].map(({ tenant, name }) => checkpointDataBlob(tenant, name));

const linesOfLastRun = (manifest: CheckpointManifest, caller: Caller): number =>
  (lineOf(manifest, caller).runs.at(-1)?.objects ?? [])
    .flatMap(({ frames }) => frames)
    .reduce((sum, { lines }) => sum + lines, 0);

/** As if the objects that are to be deleted had been so since then, Unix ms. */
async function doomedSince(app: App, { tenantId }: Caller, atMs: number): Promise<void> {
  const index = keysOf(app).index(tenantId, 1);
  for (const [name, at] of await doomedOf(app, tenantId)) {
    const member = (ms: number) => `d\0${String(ms).padStart(14, '0')}\0${name}`;
    await app.redis.send(['ZREM', index, member(at)], { kind: 'write' });
    await app.redis.send(['ZADD', index, 0, member(atMs)], { kind: 'write' });
  }
}

describe.each(TRANSPORTS)('checkpoints one after another, over %s [K2]', (transport) => {
  let app: App;
  let again: Awaited<ReturnType<typeof stateApp>>['again'];
  beforeAll(() => void telemetry.logger.setLogLevel('SILENT'));
  beforeEach(async () => {
    ({ app, again } = await stateApp({ transport, env: { PERSISTENCE_STATE_MAX_CHECKPOINTS: String(KEPT) } }));
  });

  it('write no object when nothing changed', async () => {
    const { caller } = await newTenant(app);
    await setMany(app, caller, 100);
    await app.sessions.create(caller, { data: texts({ a: 1 }) });
    const first = await taken(app);
    const objects = await dataObjects(app);
    const second = await taken(app);
    expect(second.header).toMatchObject({ base: first.header.id, new_bytes: 0, bytes: first.header.bytes });
    expect(second.tenants).toEqual(first.tenants);
    // Reads leave nothing behind.
    await app.cache.get(caller, named('k1'));
    expect((await taken(app)).header.new_bytes).toBe(0);
    expect(await dataObjects(app)).toEqual(objects);
  });

  it('write of 1 % that changed these lines only, and nothing of other tenants', async () => {
    const [busy, still] = [await newTenant(app), await newTenant(app)];
    for (const { caller } of [busy, still]) await setMany(app, caller, 1_000);
    const first = await taken(app);
    for (let i = 0; i < 9; i++) await set(app, busy.caller, `k${i}`, randomBytes(100));
    await app.cache.delete(busy.caller, named('k9'));
    // Of one that is written often there is one line.
    for (let i = 0; i < 5; i++) await set(app, busy.caller, 'k0', `again ${i}`);
    const second = await taken(app);
    expect(linesOfLastRun(second, busy.caller)).toBe(10);
    expect(lineOf(second, still.caller)).toEqual(lineOf(first, still.caller));
    expect(second.header.new_bytes).toBeLessThan(first.header.bytes / 50);
    await expectCheckpointEquals(app, second, [busy.caller.tenantId, still.caller.tenantId]);
  });

  it('write all of a tenant anew when that is worth it, or must be', async () => {
    const { caller } = await newTenant(app);
    await setMany(app, caller, 500);
    const runs = async () => lineOf(await taken(app), caller).runs.length;
    expect(await runs()).toBe(1);
    for (let i = 2; i <= MAX_RUNS; i++) {
      await set(app, caller, `k${i}`, 'changed');
      expect(await runs()).toBe(i);
    }
    await set(app, caller, 'k0', 'changed');
    expect(await runs(), 'as many runs as there may be').toBe(1);
    await setMany(app, caller, 300);
    expect(await runs()).toBe(2);
    await set(app, caller, 'k0', 'changed again');
    expect(await runs(), 'half of its bytes are in later runs').toBe(1);
    await set(app, caller, 'k0', 'changed once more');
    expect(await runs()).toBe(2);
    // The feed has been ended, as cleaning does where no checkpoint is made any more.
    await set(app, caller, 'k1', 'changed');
    const keys = keysOf(app);
    await app.redis.send(['HDEL', keys.gate(caller.tenantId), 'f'], { kind: 'write' });
    const manifest = await taken(app);
    expect(lineOf(manifest, caller).runs, 'the feed does not reach back').toHaveLength(1);
    await expectCheckpointEquals(app, manifest, [caller.tenantId]);
  });

  it('build upon the one that was begun last, whatever ids say, and not upon one that cannot be read', async () => {
    const { caller } = await newTenant(app);
    await setMany(app, caller, 200);
    const first = await taken(app);
    await set(app, caller, 'k1', 'changed');
    // Of a slot that began before the first.
    const slot = '00000000000000000000000000';
    const job = await app.checkpoints.start({ type: 'scheduled', opId: slot, inlineMs: 30_000 });
    expect(job.status).toBe('done');
    await set(app, caller, 'k2', 'changed');
    const third = await taken(app);
    expect(third.header.base).toBe(`ckpt-${slot}`);
    expect(linesOfLastRun(third, caller)).toBe(1);

    const bytes = (await app.blobs.get(checkpointBlob(third.header.id)))?.body as Buffer;
    const { metadata } = (await app.blobs.head(checkpointBlob(third.header.id))) ?? { metadata: {} };
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 0xff;
    await app.blobs.put({ key: checkpointBlob(third.header.id), body: bytes, metadata });
    const other = await again();
    const fourth = await taken(other);
    expect([first.header.id, `ckpt-${slot}`]).toContain(fourth.header.base);
    await expectCheckpointEquals(other, fourth, [caller.tenantId]);
    // It is retired in its turn, and those after it are made.
    for (let i = 0; i < KEPT; i++) {
      await set(other, caller, 'k3', `${i}`);
      await expectCheckpointEquals(other, await taken(other), [caller.tenantId]);
    }
    const { items } = await other.checkpoints.list({ limit: 10 });
    expect(items.map(({ id }) => id)).not.toContain(third.header.id);
  });

  it('keep as many as they may; each kept one is whole, and objects go with the last that names them', async () => {
    const tenants = [await newTenant(app), await newTenant(app, { encryption: true })];
    const ids = tenants.map(({ caller }) => caller.tenantId);
    const views = new Map<string, readonly unknown[]>();
    let gone = 0;
    for (let round = 0; round < 9; round++) {
      for (const { caller } of tenants) {
        await setMany(app, caller, round % 4 === 0 ? 60 : 2);
        await app.cache.delete(caller, named(`k${round}`));
      }
      const before = new Set(await dataObjects(app));
      const manifest = await taken(app);
      const atMs = await redisTimeMs(app);
      const viewsOf = async (of: CheckpointManifest) =>
        Promise.all(of.tenants.map(async (line) => livingAt(await checkpointView(app, line), atMs)));
      views.set(manifest.header.id, await viewsOf(manifest));
      await expectCheckpointEquals(app, manifest, ids);

      const { items } = await app.checkpoints.list({ limit: 10 });
      expect(items.map(({ id }) => id)).toEqual([...views.keys()].toReversed().slice(0, KEPT));
      const kept = await Promise.all(items.map(({ id }) => app.checkpoints.get(id)));
      for (const one of kept) expect(await viewsOf(one), 'a kept one').toEqual(views.get(one.header.id));
      const there = await dataObjects(app);
      expect(there).toEqual([...new Set(kept.flatMap(namesOf))].toSorted());
      gone += [...before].filter((key) => !there.includes(key)).length;
    }
    expect(gone).toBeGreaterThan(0);
  });

  it('hold what they name in S3 until they are retired: large values, and sessions', async () => {
    const { caller } = await newTenant(app);
    const id = caller.tenantId;
    await set(app, caller, 'large', randomBytes(400_000));
    const { id: session } = await app.sessions.create(caller, { data: texts({ a: 1 }) });
    await spillAll(app, id);
    const [held, stored] = [await blobsOf(app, id), await sessionObjects(app, id)];
    expect([held.length, stored.length]).toEqual([1, 1]);
    await taken(app);
    await app.cache.delete(caller, named('large'));
    // It is hot again, and its object is nobody's.
    await app.sessions.prefetch(caller, [session]);
    await taken(app);
    const nowMs = await redisTimeMs(app);
    await doomedSince(app, caller, nowMs - 1_800_000);
    // As if the oldest had been begun before that.
    await app.redis.send(['SET', keysOf(app).checkpointsOldest(), nowMs - 3_600_000], { kind: 'write' });
    expect((await app.cleanUp.run()).objects).toBe(0);
    expect([await blobsOf(app, id), await sessionObjects(app, id)], 'they are named').toEqual([held, stored]);
    // Those that are kept now were begun later.
    await taken(app);
    expect((await app.cleanUp.run()).objects).toBe(2);
    expect([await blobsOf(app, id), await sessionObjects(app, id)]).toEqual([[], []]);
  });

  it('say since when objects must be held: since the oldest that is kept was begun', async () => {
    await newTenant(app);
    const starts: number[] = [];
    for (let i = 0; i < KEPT + 2; i++) {
      starts.push(Date.parse((await taken(app)).header.started_at));
      const oldest = Number(await app.redis.send(['GET', keysOf(app).checkpointsOldest()], { kind: 'read' }));
      expect(oldest).toBe(starts.slice(-KEPT)[0]);
    }
  });

  it('keep the newest of hours, days and weeks beside them', async () => {
    const ladder = { PERSISTENCE_STATE_KEPT_HOURLY: '2', PERSISTENCE_STATE_MAX_CHECKPOINTS: '1' };
    const other = await again({ env: ladder });
    await newTenant(other);
    const HOUR_MS = 3_600_000;
    const { retirement } = stateToolsOn(other);
    const at = Date.now();
    const made: string[] = [];
    for (const hoursAgo of [5, 4, 3, 3, 2]) {
      const clock = () => at - hoursAgo * HOUR_MS + made.length;
      const tools = stateToolsOn(other, clock);
      const id = `ckpt-0${made.length}${'0'.repeat(24)}`;
      const order = { id, type: 'manual', description: null, cache: true, tenants: null, configVersion: null } as const;
      const how = { signal: new AbortController().signal, isOver: () => false };
      let cursor = await tools.writer.begin(order, how.signal);
      while (cursor.phase !== 'done') cursor = await tools.writer.step(order, cursor, how);
      made.push(order.id);
    }
    await retirement.run({ runningSinceMs: at });
    expect((await stateToolsOn(other).store.ids()).toSorted()).toEqual([made[3], made[4]]);
  });
});
