/** Sessions when something is not as it was before: a reply is lost, a limit lowered, the tenant gone, Redis out of memory. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { OutcomeUnknownError } from '../../lib/errors.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { useClusterApp } from '../support/cluster-app.ts';
import { gateState } from '../support/gate-state.ts';
import { ownRedis } from '../support/redis-own.ts';
import { auditSessions } from '../support/session-audit.ts';
import { sessionObjects, spillAll, spillToolsOn, texts } from '../support/spill-tools.ts';
import { addSessions, spillingApp, tiersOf } from '../support/spilling.ts';
import { keysOf } from '../support/tenant-state.ts';

telemetry.logger.setLogLevel('SILENT');
const WRITE = { kind: 'write' } as const;
const tagOf = () => `set-${newUlid(Date.now())}`;

describe.each(TRANSPORTS)('sessions over %s, when something is not as before [S1 S2 S4 T4]', (transport) => {
  let app: App;
  let hook: FailpointHook = () => {};
  beforeAll(async () => {
    const env = { PERSISTENCE_CACHE_KEY_PREFIX: tagOf() };
    app = await testApp({ transport, env, failpoint: (call) => hook(call) });
  });

  /** The first call of this name meets it. */
  const once = (name: string, phase: 'before' | 'after', what: () => unknown) => {
    hook = async (call) => {
      if (call.name !== name || call.phase !== phase) return;
      hook = () => {};
      await what();
    };
  };
  const removeGate = (id: string) => app.redis.send(['DEL', keysOf(app).gate(id as never)], WRITE);

  it('a new id whose reply was lost is told all the same', async () => {
    const { caller } = await newTenant(app);
    const { id } = await app.sessions.create(caller, { data: texts({ a: 1 }) });
    once('rotate-session', 'after', () => {
      throw new OutcomeUnknownError('lost');
    });
    const rotated = await app.sessions.rotate(caller, id);
    expect(rotated).toMatchObject({ version: 2 });
    expect(await app.sessions.get(caller, rotated?.id ?? '')).toMatchObject({ version: 2 });
    expect(await app.sessions.get(caller, id)).toBeNull();
  });

  it('a name for an operation gives each session another new id, and none that was ended', async () => {
    const { caller } = await newTenant(app);
    const secretOf = (id = '') => sessionParts(id).secret;
    const rotate = async (id: string) =>
      (await app.sessions.rotate(caller, id, {}, { operation: 'sign-in' }))?.id ?? '';
    const { id } = await app.sessions.create(caller);
    const first = await rotate(id);
    expect(await rotate(id)).toBe(first);
    expect(secretOf(await rotate((await app.sessions.create(caller)).id))).not.toBe(secretOf(first));
    let last = (await app.sessions.rotate(caller, first))?.id ?? '';
    for (let i = 0; i < 3; i++) await app.sessions.update(caller, last, { set: texts({ i }) });
    last = await rotate(last);
    expect(await app.sessions.get(caller, first)).toBeNull();
    expect(await app.sessions.get(caller, last)).toMatchObject({ version: 7 });
  });

  it('a tombstone that has had its time is charged once, when its id is used and ended again', async () => {
    const { caller } = await newTenant(app);
    const { id } = await app.sessions.create(caller);
    await app.sessions.terminate(caller, id);
    const { ulid, secret } = sessionParts(id);
    await app.redis.send(['ZADD', keysOf(app).deadSessions(caller.tenantId), 1, `${ulid}-${secret}`], WRITE);
    await app.sessions.create(caller, { id });
    const memoryOf = async () => Number((await gateState(app, caller.tenantId).meter()).memory);
    expect((await auditSessions(app, caller.tenantId)).memory).toBe(await memoryOf());
    await app.sessions.terminate(caller, id);
    expect((await auditSessions(app, caller.tenantId)).memory).toBe(await memoryOf());
    expect(await memoryOf()).toBe(128);
  });

  it('one that is larger than a limit that was lowered may shrink, and not grow', async () => {
    const env = {
      PERSISTENCE_CACHE_KEY_PREFIX: app.config.cache.keyPrefix,
      PERSISTENCE_STATE_SESSION_MAX_BYTES: '1024',
    };
    const lowered = await testApp({ transport, env });
    const { caller } = await newTenant(app);
    const data = texts({ a: 'x'.repeat(3_000), b: 'y'.repeat(3_000) });
    const { id } = await app.sessions.create(caller, { data });
    expect(await lowered.sessions.update(caller, id, { remove: ['a'] })).toMatchObject({ version: 2 });
    await expect(lowered.sessions.update(caller, id, { set: texts({ c: 1 }) })).rejects.toMatchObject({ status: 413 });
    expect((await app.sessions.get(caller, id))?.data).toEqual(texts({ b: 'y'.repeat(3_000) }));
    await auditSessions(app, caller.tenantId);
  });

  it('a tenant that is gone while its sessions are moved is none, and nothing fails otherwise', async () => {
    const { caller } = await newTenant(app);
    const { id } = await app.sessions.create(caller, { data: texts({ a: 1 }) });
    once('stub-sessions', 'before', () => removeGate(caller.tenantId));
    expect(await spillAll(app, caller.tenantId)).toMatchObject({ spilled: 0 });
    await expect(app.sessions.get(caller, id)).rejects.toMatchObject({ status: 401 });

    const other = await newTenant(app);
    const cold = await app.sessions.create(other.caller, { data: texts({ a: 1 }) });
    await spillAll(app, other.caller.tenantId);
    once('restore-session', 'before', () => removeGate(other.caller.tenantId));
    const change = app.sessions.update(other.caller, cold.id, { set: texts({ b: 1 }) });
    await expect(change).rejects.toMatchObject({ status: 401 });
  });
});

describe('sessions on a Cluster [S1 P2 P3]', () => {
  const cluster = useClusterApp();

  it('are kept, moved by passes, read back, listed and ended', async () => {
    const app = cluster();
    const sessions = { max_hot_bytes: 90_000 };
    const tenants = await Promise.all(Array.from({ length: 4 }, () => newTenant(app, { sessions })));
    for (const { caller } of tenants) {
      const ids = await addSessions(app, caller, 8);
      await app.spillPass.run();
      expect((await auditSessions(app, caller.tenantId)).spilled).toBeGreaterThan(3);
      const [first = '', second = ''] = ids;
      expect(await app.sessions.get(caller, first)).toMatchObject({ tier: 'cold', dataBytes: 20_006 });
      expect(await app.sessions.update(caller, second, { set: texts({ b: 1 }) })).toMatchObject({ version: 2 });
      expect((await app.sessions.list(caller, 'ada', { limit: 5 })).items).toHaveLength(5);
      expect(await app.sessions.prefetch(caller, ids)).toHaveLength(8);
      expect(await app.sessions.terminateUser(caller, 'ada', { except: first })).toEqual({
        terminated: 7,
        more: false,
      });
      expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 1 });
    }
  });
});

describe('one that is larger than its tenant may have hot [P2]', () => {
  it('is made in S3, and drives none of the others out', async () => {
    const app = await spillingApp();
    const { caller } = await newTenant(app, { sessions: { max_hot_bytes: 70_000 } });
    const ids = await addSessions(app, caller, 3);
    const data = texts({ a: 'x'.repeat(80_000) });
    expect(await app.sessions.create(caller, { data })).toMatchObject({ tier: 'cold' });
    expect(await tiersOf(app, caller, ids)).toEqual(['hot', 'hot', 'hot']);
    expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 4, spilled: 1 });
  });
});

describe('a Redis that is out of memory [P2 P3]', () => {
  it('gets no sessions back, loses none, and passes go on making room', async () => {
    const { url } = await ownRedis({ extraArgs: ['--maxmemory-policy', 'noeviction'] });
    const app = await spillingApp({ env: { REDIS_URL: url } });
    const { caller } = await newTenant(app, { sessions: { max_hot_bytes: 400_000 } });
    const ids = await addSessions(app, caller, 15);
    const place = { id: caller.tenantId, generation: 1 };
    await spillToolsOn(app).spiller.spillTo(place, 290_000, { maxBatches: 1 });
    const [cold = '', , , , hot = ''] = ids;
    expect(await tiersOf(app, caller, [cold, hot])).toEqual(['cold', 'hot']);
    await app.redis.send(['CONFIG', 'SET', 'maxmemory', '1'], WRITE);

    for (let i = 0; i < 2; i++) expect(await app.sessions.get(caller, cold)).toMatchObject({ tier: 'cold' });
    expect(await app.sessions.get(caller, hot)).toMatchObject({ tier: 'hot' });
    const change = { set: texts({ text: 1 }) };
    await expect(app.sessions.update(caller, cold, change)).rejects.toMatchObject({ code: 'store_full' });
    expect(await app.sessions.prefetch(caller, [cold])).toEqual([{ id: cold, status: 'cold' }]);
    const first = await app.spillPass.run();
    expect(first).toMatchObject({ restored: 0, failed: 0, storeFailed: false, finished: true });
    const moved = await spillToolsOn(app).spiller.spillTo(place, 200_000, { maxBatches: 5 });
    expect(moved.spilled).toBeGreaterThan(0);

    const objects = await sessionObjects(app, caller.tenantId);
    await app.blobs.delete(objects);
    for (let i = 0; i < 2; i++)
      await expect(app.sessions.get(caller, cold)).rejects.toMatchObject({ code: 'session_lost' });
    await app.redis.send(['CONFIG', 'SET', 'maxmemory', '0'], WRITE);
    await expect(app.sessions.get(caller, cold)).rejects.toMatchObject({ code: 'session_lost' });
    expect(await app.redis.send(['ZCARD', keysOf(app).sessionQuarantine()], { kind: 'read' })).toBe(1);
  });
});
