/** What has ended stays ended, whatever is restored: sessions, keys, tenants; and what was spent stays spent. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointCall } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS, type Transport } from '../support/app.ts';
import { auditCache } from '../support/cache-audit.ts';
import { gateState } from '../support/gate-state.ts';
import { restore } from '../support/restoring.ts';
import { spillToolsOn, texts } from '../support/spill-tools.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { generationOf, keysOf, tenantState } from '../support/tenant-state.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const META = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const READ = { kind: 'read' } as const;

/** An app whose calls may be stopped at a moment, for something else to be done. */
async function watchedApp(transport: Transport) {
  const stop = { at: (_: FailpointCall): boolean => false, act: async () => {} };
  const { app, again, emptied } = await stateApp({ transport });
  const watched = await again({
    failpoint: async (call) => {
      if (!stop.at(call)) return;
      stop.at = () => false;
      await stop.act();
    },
  });
  return { app, watched, stop, emptied };
}

async function newSessions(app: App, caller: Caller, count: number, userId = 'ada'): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await app.sessions.create(caller, { userId, data: texts({ i }) })).id);
  return ids;
}

/** The oldest of them. */
async function spill(app: App, { tenantId: id }: Caller, count: number): Promise<void> {
  const { coldest, spiller } = spillToolsOn(app);
  const place = { id, generation: await generationOf(app, id) };
  await spiller.spill(place, await coldest.find(place, count));
}

const alive = async (app: App, caller: Caller, ids: readonly string[]) => {
  const found = await Promise.all(ids.map((id) => app.sessions.get(caller, id, { touch: false })));
  return found.map((session) => session !== null);
};

const at =
  (name: string, phase: FailpointCall['phase']) =>
  (call: FailpointCall): boolean =>
    call.name === name && call.phase === phase;

const MOMENTS = {
  'before the safety checkpoint': at('begin-feed', 'before'),
  'before the generation is begun': at('begin-generation', 'before'),
  'before the first record': at('load-records', 'before'),
  'after the last record': at('load-records', 'after'),
  'before the switch': at('flip-generation', 'before'),
  'after the switch': at('flip-generation', 'after'),
  'while the old generation is reclaimed': at('reclaim-generation', 'before'),
};

describe.each(TRANSPORTS)('sessions that were ended, over %s [A12 K3]', (transport) => {
  it('do not come back when they were ended before the restore: one by one, all of a user, by rotation, hot or in S3', async () => {
    const { app } = await watchedApp(transport);
    const { caller } = await newTenant(app);
    const ids = await newSessions(app, caller, 8);
    const others = await newSessions(app, caller, 2, 'eve');
    await spill(app, caller, 4);
    const { checkpoint_id } = await checkpoint(app);
    await app.sessions.terminate(caller, ids[0] as string);
    await app.sessions.terminate(caller, ids[5] as string);
    const cold = (await app.sessions.rotate(caller, ids[1] as string))?.id as string;
    const hot = (await app.sessions.rotate(caller, ids[6] as string))?.id as string;
    await app.sessions.terminateUser(caller, 'eve', {});
    const result = await restore(app, checkpoint_id as string);
    expect(await alive(app, caller, ids)).toEqual([false, false, true, true, true, false, false, true]);
    expect(await alive(app, caller, others)).toEqual([false, false]);
    // Those they were rotated to were made later.
    expect(await alive(app, caller, [cold, hot])).toEqual([false, false]);
    expect(result.tenants).toMatchObject([{ sessions: 4, terminated_sessions: 6 }]);
    await auditCache(app, caller.tenantId);
    // Nor by its undoing: but there the ones they were rotated to live.
    const undone = await restore(app, result.undo_checkpoint_id as string);
    expect(await alive(app, caller, ids)).toEqual([false, false, true, true, true, false, false, true]);
    expect(await alive(app, caller, [cold, hot])).toEqual([true, true]);
    await app.sessions.terminate(caller, ids[2] as string);
    await restore(app, undone.undo_checkpoint_id as string);
    await restore(app, checkpoint_id as string);
    expect(await alive(app, caller, ids)).toEqual([false, false, false, true, true, false, false, true]);
    await auditCache(app, caller.tenantId);
  });

  it.each(Object.keys(MOMENTS) as (keyof typeof MOMENTS)[])(
    'do not come back when they are ended %s',
    async (moment) => {
      const { app, watched, stop } = await watchedApp(transport);
      const { caller } = await newTenant(app);
      const ids = await newSessions(app, caller, 6);
      const others = await newSessions(app, caller, 2, 'eve');
      await app.cache.set(caller, named('k'), { value: Buffer.from('v'), meta: META });
      await spill(app, caller, 3);
      const { checkpoint_id } = await checkpoint(app);
      let met = false;
      stop.at = MOMENTS[moment];
      stop.act = async () => {
        met = true;
        await app.sessions.terminate(caller, ids[0] as string);
        await app.sessions.terminate(caller, ids[4] as string);
        await app.sessions.rotate(caller, ids[1] as string);
        await app.sessions.rotate(caller, ids[5] as string);
        await app.sessions.terminateUser(caller, 'eve', {});
      };
      await restore(watched, checkpoint_id as string);
      expect(met).toBe(true);
      expect(await alive(app, caller, ids)).toEqual([false, false, true, true, false, false]);
      expect(await alive(app, caller, others)).toEqual([false, false]);
      await auditCache(app, caller.tenantId);
    },
  );

  it('do not come back one by one either', async () => {
    const { app } = await watchedApp(transport);
    const { caller } = await newTenant(app);
    const ids = await newSessions(app, caller, 2);
    const { checkpoint_id } = await checkpoint(app);
    await app.sessions.terminate(caller, ids[0] as string);
    const session = (ids[0] as string).split('-')[1] as string;
    const scope = { kind: 'session', tenant: caller.tenantId, session } as const;
    expect((await restore(app, checkpoint_id as string, { scope })).tenants).toMatchObject([{ outcome: 'terminated' }]);
    expect(await alive(app, caller, ids)).toEqual([false, true]);
  });
});

describe('tenants that end [A12 K3]', () => {
  it('deleted ones are left alone, those deleted meanwhile too, and nothing of what was loaded stays', async () => {
    const { app, watched, stop } = await watchedApp('tcp');
    const before = await newTenant(app);
    const meanwhile = await newTenant(app);
    for (const { caller } of [before, meanwhile])
      await app.cache.set(caller, named('k'), { value: Buffer.from('v'), meta: META });
    const { checkpoint_id } = await checkpoint(app);
    await app.tenantAdmin.remove(before.tenant.id, { undoMs: 3_600_000 });
    stop.at = at('flip-generation', 'before');
    stop.act = async () => void (await app.tenantAdmin.remove(meanwhile.tenant.id, { undoMs: 3_600_000 }));
    const { tenants } = await restore(watched, checkpoint_id as string);
    expect(tenants.map(({ outcome }) => outcome)).toEqual(['deleted', 'deleted']);
    for (const { caller, tenant } of [before, meanwhile]) {
      await app.tenantAdmin.undelete(tenant.id, {});
      expect(await generationOf(app, tenant.id)).toBe(1);
      expect(await app.cache.get(caller, named('k'))).not.toBe(null);
    }
    await checkpoint(app);
    for (const { tenant } of [before, meanwhile]) expect(await keysLeft(app, tenant.id, 2)).toEqual([]);
  });

  it.each(['begin-generation', 'load-records', 'flip-generation'])(
    'nothing is left of one that is erased before %s',
    async (name) => {
      const { app, watched, stop } = await watchedApp('tcp');
      const { caller, tenant } = await newTenant(app);
      for (let i = 0; i < 5; i++) await app.cache.set(caller, named(`k${i}`), { value: Buffer.from('v'), meta: META });
      await newSessions(app, caller, 2);
      const { checkpoint_id } = await checkpoint(app);
      stop.at = at(name, 'before');
      stop.act = async () => {
        await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
        await app.erasure.eraseDue();
      };
      const { tenants } = await restore(watched, checkpoint_id as string);
      expect(tenants.map(({ outcome }) => outcome)).toEqual(['erased']);
      const kept = [keysOf(app).erased(tenant.id), keysOf(app).billing(tenant.id), keysOf(app).record(tenant.id)];
      expect((await allKeysOf(app, tenant.id)).filter((key) => !kept.includes(key))).toEqual([]);
      expect((await restore(app, checkpoint_id as string)).tenants).toMatchObject([{ outcome: 'erased' }]);
      expect((await allKeysOf(app, tenant.id)).filter((key) => !kept.includes(key))).toEqual([]);
    },
  );

  it('erased ones do not come back into an empty Redis', async () => {
    const { app, emptied } = await stateApp({ transport: 'tcp' });
    const { tenant } = await newTenant(app);
    const other = await newTenant(app);
    const { checkpoint_id } = await checkpoint(app);
    await app.tenantAdmin.remove(tenant.id, { undoMs: 0 });
    await app.erasure.eraseDue();
    const empty = await emptied({ transport: 'tcp' });
    const { totals } = await restore(empty, checkpoint_id as string, { sessions: 'revive' });
    expect(totals).toMatchObject({ tenants_erased: 1, tenants_revived: 1 });
    expect(await allKeysOf(empty, tenant.id)).toEqual([]);
    expect((await allKeysOf(empty, other.tenant.id)).length).toBeGreaterThan(0);
  });
});

describe.each(TRANSPORTS)('what was spent, over %s [G3 K3]', (transport) => {
  it('stays spent in a tenant that is there: limits, operations, transfer, reservations, replies', async () => {
    const { app } = await watchedApp(transport);
    const { caller, tenant } = await newTenant(app, { quotas: { operations_per_minute: 100_000 } });
    const id = tenant.id;
    await app.cache.set(caller, named('k'), { value: Buffer.alloc(1_000, 'x'), meta: META });
    const { checkpoint_id } = await checkpoint(app);
    const limit = { name: 'logins', identifier: 'user-1', limit: 3, windowMs: 3_600_000 };
    for (let i = 0; i < 3; i++) await app.rateLimiter.check(caller, limit);
    await app.quotas.reserve(caller, { resource: 'memory_bytes', amount: 5_000 } as never);
    for (let i = 0; i < 20; i++) await app.cache.get(caller, named('k'));
    const before = await gateState(app, id).meter();
    const held = await gateState(app, id).read('r');
    const billing = [keysOf(app).billing(id), 'p:1', JSON.stringify({ invoice: 'closed' })] as const;
    await app.redis.send(['HSET', ...billing], { kind: 'write' });
    const { keptIndex, record } = await tenantState(app, id);
    await restore(app, checkpoint_id as string);
    const after = await gateState(app, id).meter();
    for (const name of [
      'ops',
      'hits',
      'misses',
      'transfer',
      'bytesOut',
      'bytesIn',
      'computeUs',
      'accessUs',
      'minute',
      'minuteOps',
      'periodEnd',
    ] as const)
      expect(after[name], name).toBe(before[name]);
    expect(await gateState(app, id).read('r')).toBe(held);
    expect(await app.redis.send(['HGET', billing[0], billing[1]], READ)).toBe(billing[2]);
    expect(await tenantState(app, id)).toMatchObject({ keptIndex, record });
    expect(await app.rateLimiter.check(caller, limit)).toMatchObject({ allowed: false });
    await auditCache(app, id);
  });
});

/** Only a test may look through all keys. */
async function allKeysOf(app: App, id: string): Promise<readonly string[]> {
  const found = new Set<string>();
  const first = keysOf(app)
    .gate(id as never)
    .slice(0, -'gate'.length);
  for (let cursor = '0'; ; ) {
    const [next, keys] = (await app.redis.send(['SCAN', cursor, 'MATCH', `${first}*`, 'COUNT', 5_000], READ)) as [
      string,
      string[],
    ];
    for (const key of keys) found.add(key);
    cursor = next;
    if (cursor === '0') return [...found].toSorted();
  }
}

const keysLeft = async (app: App, id: string, generation: number) =>
  (await allKeysOf(app, id)).filter((key) => key.includes(`:g${generation}:`));
