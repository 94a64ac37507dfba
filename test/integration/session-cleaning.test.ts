/** Sessions that are over, tombstones, and tenants that are erased: what cleaning leaves of them is nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { pollUntil } from '../support/poll-until.ts';
import { auditSessions } from '../support/session-audit.ts';
import {
  collectObjects,
  letExpire,
  letTombstonesEnd,
  sessionObjects,
  spillAll,
  spillToolsOn,
  texts,
} from '../support/spill-tools.ts';
import { keysOf } from '../support/tenant-state.ts';

const READ = { kind: 'read' } as const;
const ownApp = (options: Parameters<typeof testApp>[0] = {}, name = `cl-${newUlid(Date.now())}`) =>
  testApp({ ...options, env: { PERSISTENCE_CACHE_KEY_PREFIX: name } });

beforeAll(() => {
  telemetry.logger.setLogLevel('SILENT');
});

/** One after the other: of many at once that a new tenant begins with, some are begun in S3. */
async function create(app: App, caller: Caller, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++)
    ids.push((await app.sessions.create(caller, { userId: 'ada', data: texts({ i }) })).id);
  return ids;
}

/** The coldest of them. */
async function spillSome(app: App, id: TenantId, count: number): Promise<void> {
  const { coldest, spiller } = spillToolsOn(app);
  const place = { id, generation: 1 };
  expect(await spiller.spill(place, await coldest.find(place, count))).toMatchObject({ spilled: count });
}

describe.each(TRANSPORTS)('clean-up over %s [S1 S3 P1 P6]', (transport) => {
  it('removes sessions that are over, hot and cold ones, and their objects; others stay', async () => {
    const app = await ownApp({ transport });
    const { tenant, caller } = await newTenant(app);
    const ids = await create(app, caller, 12);
    await spillSome(app, tenant.id, 10);
    await create(app, caller, 3);
    const { spilled } = await auditSessions(app, tenant.id);
    expect(spilled).toBe(10);
    for (const id of ids.slice(1)) await letExpire(app, tenant.id, id);
    expect(await app.cleanUp.run()).toMatchObject({ removed: 11, tombstones: 0, finished: true });
    expect(await auditSessions(app, tenant.id)).toMatchObject({ sessions: 4, spilled: 1 });
    expect(await collectObjects(app, tenant.id)).toHaveLength(1);
    expect(await app.cleanUp.run()).toMatchObject({ removed: 0, objects: 0 });
  });

  it('removes tombstones once their sessions could not live any more, with their bytes, and no others', async () => {
    const app = await ownApp({ transport });
    const { tenant, caller } = await newTenant(app);
    await create(app, caller, 3);
    await app.sessions.terminateUser(caller, 'ada');
    await letTombstonesEnd(app, tenant.id);
    const [id] = await create(app, caller, 1);
    await app.sessions.terminate(caller, id as string);
    expect(await app.cleanUp.run()).toMatchObject({ removed: 0, tombstones: 3, bytesFreed: 384 });
    expect(await auditSessions(app, tenant.id)).toMatchObject({ sessions: 0, memory: 128 });
    expect(await app.cleanUp.run()).toMatchObject({ tombstones: 0, bytesFreed: 0 });
  });
});

describe('clean-up of many [P1 P6]', () => {
  it('removes a thousand, hot and cold among each other, in one run', async () => {
    const app = await ownApp();
    const { tenant, caller } = await newTenant(app);
    const ids: string[] = [];
    for (let some = 0; some < 10; some++) {
      ids.push(...(await create(app, caller, 100)));
      // Every other hundred goes to S3.
      if (some % 2 === 0) await spillAll(app, tenant.id);
    }
    const kept = await create(app, caller, 5);
    expect(await auditSessions(app, tenant.id)).toMatchObject({ sessions: 1_005, spilled: 900 });
    for (const id of ids) await letExpire(app, tenant.id, id);
    expect(await app.cleanUp.run()).toMatchObject({ removed: 1_000, finished: true });
    expect(await auditSessions(app, tenant.id)).toMatchObject({ sessions: 5, spilled: 0 });
    expect(await collectObjects(app, tenant.id)).toEqual([]);
    for (const id of kept) expect(await app.sessions.get(caller, id)).not.toBeNull();
  });
});

describe('erasing a tenant that has sessions [T9 S3]', () => {
  const erased = async (app: App, { tenantId: id }: Caller) => {
    expect(await app.erasure.eraseDue()).toMatchObject({ erased: 1, failed: 0 });
    const { receipt } = await app.erasure.get(id);
    expect(receipt?.stores.every(({ left }) => left === 0)).toBe(true);
    const keys = keysOf(app);
    const gone = [keys.gate(id), keys.deadSessions(id), keys.sessionsLately(id, 1), keys.index(id, 1)];
    expect(await app.redis.send(['EXISTS', ...gone], READ)).toBe(0);
    expect(await sessionObjects(app, id)).toEqual([]);
    return receipt?.stores;
  };

  it('leaves no session, stub, tombstone, object, claim or name of one', async () => {
    const app = await ownApp();
    const [{ caller }, other] = [await newTenant(app), await newTenant(app)];
    const ids = await create(app, caller, 12);
    await app.sessions.terminate(caller, ids[0] as string);
    await spillSome(app, caller.tenantId, 10);
    const quarantine = keysOf(app).sessionQuarantine();
    const names = [`${caller.tenantId},session-1`, `${other.caller.tenantId},session-2`];
    await app.redis.send(['ZADD', quarantine, 1, names[0] as string, 2, names[1] as string], { kind: 'write' });
    const [kept] = await create(app, other.caller, 1);
    await app.tenantAdmin.remove(caller.tenantId, { undoMs: 0 });
    expect(await erased(app, caller)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'records', removed: 11 }),
        expect.objectContaining({ name: 'session_memory', removed: 1 }),
        expect.objectContaining({ name: 'session_quarantine', removed: 1 }),
        expect.objectContaining({ name: 'sessions/spillover/<tenant>/', removed: 10 }),
      ]),
    );
    expect(await app.redis.send(['ZRANGE', quarantine, 0, -1], READ)).toEqual([names[1]]);
    expect(await app.sessions.get(other.caller, kept as string)).not.toBeNull();
    await auditSessions(app, other.caller.tenantId);
  });

  it('waits for what is on its way to S3, and nothing new is begun', async () => {
    const app = await ownApp();
    const { caller } = await newTenant(app);
    const ids = await create(app, caller, 3);
    const { promise: released, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const slow = await ownApp(
      {
        failpoint: async ({ port, name, phase }) => {
          if (port !== 'blobs' || name !== 'put' || phase !== 'before') return;
          begin();
          await released;
        },
      },
      app.config.cache.keyPrefix,
    );
    const moving = spillAll(slow, caller.tenantId).catch((error: unknown) => error);
    await begun;
    await app.tenantAdmin.remove(caller.tenantId, { undoMs: 0 });
    expect(await spillAll(app, caller.tenantId)).toMatchObject({ spilled: 0 });
    let isErased = false;
    const erasing = erased(app, caller).then(() => {
      isErased = true;
    });
    await pollUntil(async () => (await app.erasure.get(caller.tenantId)).state === 'erasing');
    expect(isErased).toBe(false);
    letGo();
    await moving;
    await erasing;
    const claims = ids.map((id) => keysOf(app).sessionClaim(caller.tenantId, 1, sessionParts(id).ulid));
    expect(await app.redis.send(['EXISTS', ...claims], READ)).toBe(0);
  });

  it('does not touch a tenant that was undeleted: its sessions are where they were', async () => {
    const app = await ownApp();
    const { caller } = await newTenant(app);
    const ids = await create(app, caller, 4);
    await app.tenantAdmin.remove(caller.tenantId, { undoMs: 3_600_000 });
    expect(await app.spillPass.run()).toMatchObject({ tenants: 1, spilled: 0, finished: true });
    await app.tenantAdmin.undelete(caller.tenantId, {});
    for (const id of ids) expect(await app.sessions.get(caller, id)).not.toBeNull();
    await auditSessions(app, caller.tenantId);
  });
});

describe('upkeep of the session memory [P1 P2]', () => {
  it('counts again what the pool has lost, and forgets the quarantined that are long over', async () => {
    const app = await ownApp();
    const { caller } = await newTenant(app);
    await create(app, caller, 3);
    const keys = keysOf(app);
    const before = await app.redis.send(['HGET', keys.sessionBudget(), 'total'], READ);
    await app.redis.send(['DEL', keys.sessionBudget()], { kind: 'write' });
    const old = Date.now() - app.config.sessions.maxLifetimeMs - 1_000;
    await app.redis.send(['ZADD', keys.sessionQuarantine(), old, 'old', Date.now(), 'new'], { kind: 'write' });
    expect(await app.sessionUpkeep.run()).toEqual({ sharesAdopted: 1, sharesReleased: 0 });
    expect(await app.redis.send(['HGET', keys.sessionBudget(), 'total'], READ)).toBe(before);
    expect(await app.redis.send(['ZRANGE', keys.sessionQuarantine(), 0, -1], READ)).toEqual(['new']);
    expect(await app.sessionUpkeep.run()).toEqual({ sharesAdopted: 0, sharesReleased: 0 });
  });
});
