/** Checkpoints by the clock, and what the cleaning does about what they leave behind. */
import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { createCheckpointSchedule } from '../../lib/checkpoints/checkpoint-schedule.ts';
import { createCheckpointUpkeep } from '../../lib/checkpoints/checkpoint-upkeep.ts';
import { createCheckpoints } from '../../lib/checkpoints/checkpoints.ts';
import { createStateTools } from '../../lib/checkpoints/state-tools.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newUlid } from '../../lib/ids.ts';
import { CHECKPOINT_DATA, checkpointDataBlob } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant } from '../support/app.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What the schedule is made of, at a time of our choosing. */
function at(app: App, nowMs: number, intervalMs = 5 * MINUTE_MS) {
  const told: Record<string, number> = {};
  const now = () => nowMs;
  const keys = keysOf(app);
  const tools = createStateTools({ ...app, keys, telemetry, now, failpoint: undefined } as never, app.tenants);
  const config = { checkpointIntervalMs: intervalMs, checkpointCache: true, shutdownCheckpoint: true };
  const checkpoints = createCheckpoints({
    ...tools,
    jobs: app.jobs,
    config,
    configVersion: async () => null,
    now,
  } as never);
  const count = (name: string, value = 1) => {
    told[name] = value;
  };
  return {
    told,
    schedule: createCheckpointSchedule({ checkpoints, store: tools.store, config, telemetry: { count }, now }),
    upkeep: createCheckpointUpkeep({ ...tools, redis: app.redis, keys, tenants: app.tenants, now }),
  };
}

const NEVER = new AbortController().signal;
const started = async (app: App, nowMs: number) => (await at(app, nowMs).schedule.run(false, NEVER)).started;
const put = (app: App, caller: Caller, key = 'k') =>
  app.cache.set(caller, { namespace: 'ns', key }, { value: Buffer.from('v'), meta: { content_type: 'text/plain' } });
const slot = Math.ceil(Date.now() / (5 * MINUTE_MS)) * 5 * MINUTE_MS;

describe('checkpoints by schedule [K2]', () => {
  it('are one a slot, however often, late or at once they are asked for', async () => {
    const { app } = await stateApp();
    await newTenant(app);
    const asked = await Promise.all([0, 1, 2, 3].map((minute) => started(app, slot + minute * MINUTE_MS)));
    expect(asked.reduce<number>((sum, count) => sum + Number(count), 0)).toBeGreaterThanOrEqual(1);
    await app.jobs.run();
    expect(await started(app, slot + 4 * MINUTE_MS)).toBe(0);
    expect((await app.checkpoints.list({ limit: 10 })).items).toMatchObject([{ type: 'scheduled' }]);
    expect(await started(app, slot + 5 * MINUTE_MS)).toBe(1);
    await app.jobs.run();
    expect((await app.checkpoints.list({ limit: 10 })).items).toHaveLength(2);
  });

  it('wait while another one is made, and come after it in the same slot', async () => {
    const { app } = await stateApp();
    await newTenant(app);
    await app.checkpoints.start({ type: 'manual' });
    expect(await started(app, slot)).toBe(0);
    await app.jobs.run();
    expect(await started(app, slot + MINUTE_MS)).toBe(1);
  });

  it('tell how old the newest is, in intervals', async () => {
    const { app } = await stateApp();
    expect(await at(app, slot).schedule.run(false, NEVER)).toMatchObject({ newestAgeSeconds: -1 });
    await app.jobs.run();
    const later = at(app, Date.now() + 20 * MINUTE_MS);
    await later.schedule.run(false, NEVER);
    expect(later.told.riptide_checkpoint_age_intervals).toBeCloseTo(4, 0);
    expect(later.told.riptide_checkpoint_age_seconds).toBeGreaterThanOrEqual(1_190);
  });
});

describe('what checkpoints leave behind [K2]', () => {
  it('objects of no checkpoint go after a day, those of one stay; looked for once an hour', async () => {
    const { app } = await stateApp();
    const { caller } = await newTenant(app);
    await put(app, caller);
    await checkpoint(app);
    const named = (await app.blobs.list({ prefix: CHECKPOINT_DATA })).items.map(({ key }) => key);
    await app.blobs.put({ key: checkpointDataBlob(caller.tenantId, newUlid(1)), body: Buffer.from('left') });
    expect(await at(app, Date.now() + DAY_MS / 2).upkeep.run()).toMatchObject({ checkpointOrphans: 0 });
    expect(await at(app, Date.now() + 2 * DAY_MS).upkeep.run()).toMatchObject({ checkpointOrphans: 0 });
    await app.redis.send(['DEL', keysOf(app).checkpointsLooked()], { kind: 'write' });
    expect(await at(app, Date.now() + 2 * DAY_MS).upkeep.run()).toMatchObject({ checkpointOrphans: 1 });
    expect((await app.blobs.list({ prefix: CHECKPOINT_DATA })).items.map(({ key }) => key)).toEqual(named);
  });

  it('feeds end when no checkpoint was made for a day, and the next one reads all', async () => {
    const { app } = await stateApp();
    const { caller } = await newTenant(app);
    await checkpoint(app);
    for (let i = 0; i < 3; i++) await put(app, caller, `k${i}`);
    const feed = () => app.redis.send(['HGET', keysOf(app).gate(caller.tenantId), 'f'], { kind: 'read' });
    expect(await at(app, Date.now() + DAY_MS / 2).upkeep.run()).toMatchObject({ feedsEnded: 0 });
    expect(await feed()).toMatch(/^f1,/);
    await app.redis.send(['DEL', keysOf(app).checkpointsLooked()], { kind: 'write' });
    expect(await at(app, Date.now() + 2 * DAY_MS).upkeep.run()).toMatchObject({ feedsEnded: 1 });
    expect(await feed()).toBeNull();
    const index = keysOf(app).index(caller.tenantId, 1);
    expect(await app.redis.send(['ZRANGE', index, '[w\0', '(w\x01', 'BYLEX'], { kind: 'read' })).toEqual([]);
    const { checkpoint_id } = await checkpoint(app);
    const { tenants } = await app.checkpoints.get(checkpoint_id as string);
    expect(tenants).toMatchObject([{ counts: { cache: 3 }, runs: [{}] }]);
  });
});
