/** Where a session's bytes could slip: keys named twice, ids that take memory, lifetimes that take more digits, moving that fails. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { BlobUnavailableError } from '../../lib/errors.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { auditSessions } from '../support/session-audit.ts';
import { sessionMemory } from '../support/session-memory.ts';
import { spillAll, spillToolsOn, texts } from '../support/spill-tools.ts';

describe.each(TRANSPORTS)('bytes of sessions over %s [P1 S2 S4 T4]', (transport) => {
  let app: App;
  let hook: FailpointHook = () => {};
  beforeAll(async () => {
    telemetry.logger.setLogLevel('SILENT');
    const env = {
      PERSISTENCE_CACHE_KEY_PREFIX: `edge-${newUlid(Date.now())}`,
      PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '1048576',
    };
    app = await testApp({ transport, env, failpoint: (call) => hook(call) });
  });

  it('are exact when a key is removed that is named twice, or is not there', async () => {
    const { caller } = await newTenant(app);
    const { id } = await app.sessions.create(caller, { data: texts({ a: 1, b: 'bb', c: [3] }) });
    await app.sessions.update(caller, id, { remove: ['a', 'a', 'x', 'x'] });
    expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 1 });
    await app.sessions.update(caller, id, { set: texts({ d: 4 }), replace: true });
    expect((await app.sessions.get(caller, id))?.data).toEqual(texts({ d: 4 }));
    await auditSessions(app, caller.tenantId);
  });

  it.each(['hot', 'cold'])('of one that is %s are the same however long it is to live', async (tier) => {
    const { caller } = await newTenant(app);
    const { id } = await app.sessions.create(caller, { ttlMs: 1_000, data: texts({ a: 1 }) });
    if (tier === 'cold') await spillAll(app, caller.tenantId);
    const before = await auditSessions(app, caller.tenantId);
    for (const ttlMs of [2_592_000_000, 5_000, 60_000]) {
      expect(await app.sessions.touch(caller, id, { ttlMs })).toMatchObject({ version: 1 });
      expect(await auditSessions(app, caller.tenantId)).toEqual(before);
      expect(await app.sessions.get(caller, id, { touch: false })).toMatchObject({ ttlMs });
      if (tier === 'cold') await spillAll(app, caller.tenantId);
    }
  });

  it('are never above the share when an id is changed, and a longer user with it', async () => {
    const { caller } = await newTenant(app);
    const id = caller.tenantId;
    let { id: session } = await app.sessions.create(caller, { data: texts({ a: 'x'.repeat(3_000) }) });
    const gate = gateState(app, id);
    const hot = Number((await gate.meter()).hotBytes);
    const { shareBytes, epoch } = await sessionMemory(app).readShare(id);
    expect(shareBytes).toBeGreaterThanOrEqual(hot);
    await gate.write('b', `b1,${hot + 10},${epoch + 1}`);
    for (let n = 0; n < 12; n++) {
      const userId = n % 2 === 0 ? 'u'.repeat(200) : 'u';
      session = (await app.sessions.rotate(caller, session, { userId }))?.id ?? expect.fail();
      const { tenants } = await sessionMemory(app).look([id]);
      expect(tenants[0]?.hotBytes).toBeLessThanOrEqual(tenants[0]?.shareBytes ?? 0);
      expect(await app.sessions.get(caller, session)).toMatchObject({ userId, version: n + 2 });
    }
    expect(await auditSessions(app, id)).toMatchObject({ sessions: 1 });
  });

  it('of tombstones are held to the quota: a new id where memory is full is refused, and the old one stays good', async () => {
    const { caller } = await newTenant(app, { cache: { eviction_policy: 'none' } });
    const { id } = await app.sessions.create(caller, { data: texts({ a: 1 }) });
    const gate = gateState(app, caller.tenantId);
    const { memory } = await gate.meter();
    hook = ({ port }) => {
      if (port === 'blobs') throw new BlobUnavailableError('down');
    };
    const quotas = { operations_per_minute: 1e6, storage_bytes: 1e9, data_transfer_bytes: 1e9 };
    await gate.setLimits({ quotas: { ...quotas, memory_bytes: Number(memory) + 150 } });
    const full = { code: 'memory_full', status: 507, details: { limit: Number(memory) + 150 } };
    const first = await app.sessions.rotate(caller, id);
    expect(first).toMatchObject({ version: 2 });
    await expect(app.sessions.rotate(caller, first?.id ?? '')).rejects.toMatchObject(full);
    expect(await app.sessions.get(caller, first?.id ?? '')).toMatchObject({ version: 2 });
    expect(await app.sessions.terminate(caller, first?.id ?? '')).toBe(true);
    hook = () => {};
    await auditSessions(app, caller.tenantId);
  });

  it('of a cold one that is changed are held to the quota: the tenant is told that its own memory is full', async () => {
    const { caller } = await newTenant(app, { cache: { eviction_policy: 'none' } });
    const { id } = await app.sessions.create(caller, { data: texts({ a: 'x'.repeat(2_000) }) });
    await spillAll(app, caller.tenantId);
    const gate = gateState(app, caller.tenantId);
    const limit = Number((await gate.meter()).memory) + 1_000;
    const quotas = { operations_per_minute: 1e6, storage_bytes: 1e9, data_transfer_bytes: 1e9 };
    await gate.setLimits({ quotas: { ...quotas, memory_bytes: limit } });
    const change = { set: texts({ b: 1 }) };
    await expect(app.sessions.update(caller, id, change)).rejects.toMatchObject({
      code: 'memory_full',
      details: { limit },
    });
    expect(await app.sessions.get(caller, id)).toMatchObject({ version: 1 });
    await gate.setLimits({ quotas: { ...quotas, memory_bytes: limit + 10_000 } });
    expect(await app.sessions.update(caller, id, change)).toMatchObject({ version: 2 });
    await auditSessions(app, caller.tenantId);
  });

  it('of a cold one that is changed make entries of the cache go, where the tenant lets them', async () => {
    const { caller } = await newTenant(app);
    const { id } = await app.sessions.create(caller, { data: texts({ a: 'x'.repeat(2_000) }) });
    await spillAll(app, caller.tenantId);
    const entry = { value: randomBytes(5_000), meta: { content_type: 'text/plain' }, ttlMs: null };
    await app.cache.set(caller, { namespace: 'n', key: 'k' }, entry);
    const gate = gateState(app, caller.tenantId);
    const quotas = { operations_per_minute: 1e6, storage_bytes: 1e9, data_transfer_bytes: 1e9 };
    await gate.setLimits({ quotas: { ...quotas, memory_bytes: Number((await gate.meter()).memory) + 1_000 } });
    expect(await app.sessions.update(caller, id, { set: texts({ b: 1 }) })).toMatchObject({ version: 2 });
    expect(await app.cache.get(caller, { namespace: 'n', key: 'k' })).toBeNull();
    await auditSessions(app, caller.tenantId);
  });

  it('can be moved at once after S3 did not take them: no claim is left', async () => {
    const { caller } = await newTenant(app);
    for (let i = 0; i < 12; i++) await app.sessions.create(caller, { data: texts({ i }) });
    let puts = 0;
    hook = ({ port, phase }) => {
      if (port === 'blobs' && phase === 'before' && puts++ % 3 !== 0) throw new BlobUnavailableError('down');
    };
    const { spiller } = spillToolsOn(app);
    const place = { id: caller.tenantId, generation: 1 };
    expect(await spiller.spillTo(place, 0, { maxBatches: 1 })).toMatchObject({ spilled: 4, passedOver: 6 });
    puts = 1;
    hook = ({ port }) => {
      if (port === 'blobs') throw new BlobUnavailableError('down');
    };
    await expect(spiller.spillTo(place, 0, { maxBatches: 1 })).rejects.toMatchObject({ status: 503 });
    hook = () => {};
    expect(await spiller.spillTo(place, 0, { maxBatches: 2 })).toMatchObject({ spilled: 8, hotBytes: 0 });
    expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 12, spilled: 12 });
  });
});

/** Objects written, and what became of the sessions. */
describe.each(TRANSPORTS)('many who move the same sessions at once, over %s [P2 P3 P4]', (transport) => {
  it.each([2, 8])('%i of them write an object each once, and bring it back once', async (many) => {
    let puts = 0;
    const failpoint: FailpointHook = ({ port, name, phase }) => {
      if (port === 'blobs' && name === 'put' && phase === 'before') puts++;
    };
    const apps = await Promise.all(Array.from({ length: many }, () => testApp({ transport, failpoint })));
    const [app] = apps as [App];
    const { caller } = await newTenant(app);
    const id = caller.tenantId;
    const ids: string[] = [];
    for (let i = 0; i < 60; i++) ids.push((await app.sessions.create(caller, { data: texts({ i }) })).id);
    puts = 0;

    const moved = await Promise.all(apps.map((one) => spillAll(one, id)));
    expect(moved.reduce((sum, { spilled }) => sum + spilled, 0)).toBe(60);
    expect(puts).toBe(60);
    expect(await auditSessions(app, id)).toMatchObject({ sessions: 60, spilled: 60 });
    expect(await gateState(app, id).read('sp')).toMatch(/^sp1,60,0,/);

    const read = await Promise.all(apps.flatMap((one) => ids.map((session) => one.sessions.get(caller, session))));
    read.forEach((session, n) => {
      expect(session?.data).toEqual(texts({ i: n % 60 }));
    });
    expect(await auditSessions(app, id)).toMatchObject({ sessions: 60, spilled: 0 });
    expect(await gateState(app, id).read('sp')).toMatch(/^sp1,60,60,/);

    puts = 0;
    const work = apps.flatMap((one, n) => [
      spillAll(one, id),
      ...ids.map((session, i) => one.sessions.update(caller, session, { set: texts({ [`k${n}`]: i }) })),
    ]);
    await Promise.all(work);
    for (const [i, session] of ids.entries()) {
      const data = texts({ i, ...Object.fromEntries(apps.map((_one, n) => [`k${n}`, i])) });
      expect(await app.sessions.get(caller, session)).toMatchObject({ version: many + 1, data });
    }
    expect(await auditSessions(app, id)).toMatchObject({ sessions: 60 });
  });
});
