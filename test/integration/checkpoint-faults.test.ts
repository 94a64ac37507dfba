/** Checkpoints while others write, while S3 is away, when a process ends, when the clock comes twice, and when Redis is empty. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseHead } from '../../lib/cache/entry-format.ts';
import type { CheckpointRecord } from '../../lib/checkpoints/format/checkpoint-line.ts';
import { BlobUnavailableError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newUlid } from '../../lib/ids.ts';
import { CHECKPOINT_PARTS } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { parseSessionHead } from '../../lib/sessions/session-format.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import {
  checkpointView,
  expectCheckpointEquals,
  headerOf,
  redisView,
  stateToolsOn,
} from '../support/checkpoint-view.ts';
import { gateState } from '../support/gate-state.ts';
import { endLease } from '../support/job-service.ts';
import { KilledError } from '../support/random-faults.ts';
import { texts } from '../support/spill-tools.ts';
import { checkpoint, jobResult, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

const meta = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const set = (app: App, caller: Caller, key: string, value: Buffer | string = 'v') =>
  app.cache.set(caller, named(key), { value: Buffer.from(value), meta, ttlMs: null });

async function setMany(app: App, caller: Caller, count: number): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const entries = Array.from({ length: Math.min(100, count - from) }, (_, i) => ({
      ...{ key: `k${from + i}`, value: randomBytes(100), meta, ttlMs: null },
      graceMs: 0,
    }));
    await app.cache.setMany(caller, 'ns', entries);
  }
}

/** Until it has ended, whoever had it. */
async function ended(app: App, id: string) {
  await endLease(app, id);
  return jobResult(app, id);
}

const seqOf = (record: CheckpointRecord): number =>
  (record.kind === 'cache' ? parseHead(record.stored).head : parseSessionHead(headerOf(record))).seq;

const standing = (app: App) => stateToolsOn(app).store.ids();

describe.each(TRANSPORTS)('checkpoints when something happens, over %s [K1 K2]', (transport) => {
  beforeAll(() => void telemetry.logger.setLogLevel('SILENT'));

  it('have of each record a version that was there while they were written, and all that always were', async () => {
    const { app } = await stateApp({ transport });
    const { caller } = await newTenant(app);
    const id = caller.tenantId;
    await setMany(app, caller, 1_200);
    const sessions: string[] = [];
    for (let i = 0; i < 40; i++)
      sessions.push((await app.sessions.create(caller, { userId: `user-${i}`, data: texts({ n: 0 }) })).id);
    const [always, removed] = [500, 700];

    let isOver = false;
    const write = async (from: number) => {
      for (let n = 0; !isOver; n++) {
        const key = `k${from + (n % 200)}`;
        await set(app, caller, key, `${n}`);
        await app.sessions.update(caller, sessions[(from + n) % 40] as string, {
          ...{ set: texts({ n }), remove: [], replace: false },
        });
        if (n % 3 === 0) await app.cache.delete(caller, named(`k${removed + (n % 200)}`));
        if (n % 5 === 0) await set(app, caller, `new-${from}-${n}`, 'v');
      }
    };
    const writers = [0, 200].map(write);
    const results = [];
    for (let i = 0; i < 4; i++) {
      const { checkpoint_id } = await checkpoint(app);
      results.push({ checkpoint_id, seqThen: (await gateState(app, id).meter()).seq, there: await redisView(app, id) });
    }
    isOver = true;
    await Promise.all(writers);

    for (const { checkpoint_id, seqThen, there } of results) {
      const manifest = await app.checkpoints.get(checkpoint_id as string);
      const line = manifest.tenants.find(({ tenant }) => tenant === id);
      if (line === undefined) throw new Error('The checkpoint has no such tenant');
      const view = await checkpointView(app, line);
      for (let i = 0; i < always; i++) expect(view.has(`c\0ns\0k${i}`), `k${i}`).toBe(true);
      for (const session of sessions) {
        const { ulid } = sessionParts(session);
        expect([...view.values()].filter((record) => record.kind === 'session' && record.id === ulid)).toHaveLength(1);
      }
      for (const record of view.values()) expect(seqOf(record)).toBeLessThanOrEqual(Number(seqThen));
      // What was written last before it was begun.
      for (const [order, record] of there)
        if (seqOf(record) <= line.seq) expect(seqOf(view.get(order) as CheckpointRecord), order).toBe(seqOf(record));
    }
    // Nobody writes any more.
    const last = await app.checkpoints.get((await checkpoint(app)).checkpoint_id as string);
    await expectCheckpointEquals(app, last, [id]);
  });

  it('wait while S3 is away, and go on; requests do not', async () => {
    let away = false;
    const failpoint: FailpointHook = ({ port }) => {
      if (away && port === 'blobs') throw new BlobUnavailableError('away');
    };
    const { app } = await stateApp({ transport, failpoint });
    const { caller } = await newTenant(app);
    await setMany(app, caller, 300);
    away = true;
    const job = await app.checkpoints.start({ type: 'manual', inlineMs: 30_000 });
    expect(job.status).toBe('running');
    await set(app, caller, 'k1', 'changed');
    expect(await app.cache.get(caller, named('k1'))).toMatchObject({ value: Buffer.from('changed') });
    await expect(app.checkpoints.list({ limit: 1 })).rejects.toBeInstanceOf(BlobUnavailableError);
    away = false;
    const { checkpoint_id } = await ended(app, job.id);
    await expectCheckpointEquals(app, await app.checkpoints.get(checkpoint_id as string), [caller.tenantId]);
    expect(await standing(app)).toEqual([checkpoint_id]);
  });

  it.each([8, 11, 14, 18, 22, 26])('are ended by another process when one is killed at call %i', async (calls) => {
    let left = Number.POSITIVE_INFINITY;
    const failpoint: FailpointHook = () => {
      if (left-- <= 0) throw new KilledError('killed');
    };
    const { app, again } = await stateApp({ transport });
    const { caller } = await newTenant(app);
    await setMany(app, caller, 300);
    await checkpoint(app);
    await set(app, caller, 'k1', 'changed');
    const victim = await again({ failpoint });
    left = calls;
    const opId = newUlid(Date.now());
    await victim.checkpoints.start({ type: 'manual', opId, inlineMs: 30_000 }).catch(() => {});
    left = 0;
    const { checkpoint_id } = await ended(app, `job-${opId}`);
    expect(checkpoint_id).toBe(`ckpt-${opId}`);
    expect(await standing(app)).toHaveLength(2);
    await expectCheckpointEquals(app, await app.checkpoints.get(`ckpt-${opId}`), [caller.tenantId]);
    await set(app, caller, 'k2', 'changed');
    const next = await app.checkpoints.get((await checkpoint(app)).checkpoint_id as string);
    expect(next.header.base).toBe(`ckpt-${opId}`);
    await expectCheckpointEquals(app, next, [caller.tenantId]);
    expect((await app.blobs.list({ prefix: CHECKPOINT_PARTS })).items).toEqual([]);
  });

  it('do not wait long for one whose process ended before its job was there', async () => {
    let left = Number.POSITIVE_INFINITY;
    const failpoint: FailpointHook = () => {
      if (left-- <= 0) throw new KilledError('killed');
    };
    const { app, again } = await stateApp({ transport });
    await newTenant(app);
    const victim = await again({ failpoint });
    left = 2;
    await expect(victim.checkpoints.start({ type: 'manual' })).rejects.toBeInstanceOf(KilledError);
    const turn = keysOf(app).checkpointJob();
    expect(await app.redis.send(['PTTL', turn], { kind: 'read' })).toBeGreaterThan(0);
    // As when that has passed.
    await app.redis.send(['DEL', turn], { kind: 'write' });
    await checkpoint(app);
    expect(await standing(app)).toHaveLength(1);
  });

  it('are one in a slot of the interval, however often and late the clock comes', async () => {
    const { app, again } = await stateApp({
      transport,
      env: { PERSISTENCE_STATE_CHECKPOINT_INTERVAL_SECONDS: '86400' },
    });
    const { caller } = await newTenant(app);
    await set(app, caller, 'k');
    const other = await again();
    const started = await Promise.all([app, other, app, other].map((one) => one.checkpoints.startDue()));
    expect(started.filter((outcome) => outcome.started === 1).length).toBeGreaterThan(0);
    const { items } = await app.jobs.list({ limit: 10 });
    expect(items).toHaveLength(1);
    const { checkpoint_id } = await ended(app, items[0]?.id ?? '');
    for (const one of [app, other]) expect(await one.checkpoints.startDue()).toEqual({ started: 0 });
    expect(await standing(app)).toEqual([checkpoint_id]);
    // Others are made in between, one after another.
    await checkpoint(app);
    expect(await standing(app)).toHaveLength(2);
  });

  it('are refused while another one is under way', async () => {
    const { app } = await stateApp({ transport });
    const first = await app.checkpoints.start({ type: 'manual' });
    await expect(app.checkpoints.start({ type: 'manual' })).rejects.toMatchObject({ code: 'checkpoint_running' });
    expect(await app.checkpoints.startDue()).toEqual({ started: 0 });
    await jobResult(app, first.id);
    await checkpoint(app);
    const cancelled = await app.checkpoints.start({ type: 'manual' });
    await app.jobs.cancel(cancelled.id, { actor: 'admin' } as never);
    await checkpoint(app);
    expect(await standing(app)).toHaveLength(3);
  });

  it('are there when Redis is empty, and new ones are made beside them [K5]', async () => {
    const { app, emptied } = await stateApp({ transport });
    const { caller } = await newTenant(app, { encryption: true });
    await setMany(app, caller, 100);
    const { checkpoint_id } = await checkpoint(app);
    const manifest = await app.checkpoints.get(checkpoint_id as string);
    const empty = await emptied();
    expect(await empty.checkpoints.list({ limit: 10 })).toMatchObject({ items: [{ id: checkpoint_id }] });
    expect(await empty.checkpoints.get(checkpoint_id as string)).toEqual(manifest);
    const { checkpoint_id: next } = await checkpoint(empty);
    expect((await empty.checkpoints.get(next as string)).header).toMatchObject({ tenants: 0, bytes: 0 });
    expect(await standing(empty)).toContain(checkpoint_id);
  });
});
