/** Flows of passes over the memory of hot sessions, and of bringing sessions back before they are read; and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import type { TenantId } from '../../../lib/ids.ts';
import type { SpillReport } from '../../../lib/sessions/spillover/pass/spill-pass.ts';
import { newTenant } from '../app.ts';
import { auditSessions } from '../session-audit.ts';
import { sessionMemory } from '../session-memory.ts';
import { endClaims, spillAll, texts } from '../spill-tools.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';
import { expectSessions, sessionFlow } from './session-flows.ts';

/** A session above the threshold, and all tenants together can have one. */
const BUDGET = 65_536;
const LARGE = texts({ large: 'x'.repeat(55_000) });
const SMALL = texts({ small: 'x'.repeat(1_000) });
const SMALL_BUDGET = { settings: async () => ({ PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(BUDGET) }) };

interface Case {
  readonly caller: Caller;
  readonly id: TenantId;
  readonly session: string;
}

/** The only tenant that has part of the memory. */
async function newCase(direct: App, data: ReadonlyMap<string, string>): Promise<Case> {
  await sessionMemory(direct).losePool();
  const { tenant, caller } = await newTenant(direct);
  const { id: session } = await direct.sessions.create(caller, { data });
  return { caller, id: tenant.id, session };
}

/** A pass; whoever died with the lease or a claim has it no longer than half a minute. */
async function pass(app: App, direct: App, { id, session }: Case, signal: AbortSignal): Promise<SpillReport> {
  await direct.redis.send(['DEL', keysOf(direct).spillPass()], { kind: 'write' });
  await endClaims(direct, id, [session]);
  return app.spillPass.run({ signal });
}

async function expectPool(direct: App, id: TenantId): Promise<void> {
  const { tenants, totalBytes, sumBytes } = await sessionMemory(direct).look([id]);
  expect(totalBytes).toBe(sumBytes);
  for (const { hotBytes, shareBytes, grantedBytes } of tenants) {
    expect(hotBytes).toBeLessThanOrEqual(shareBytes);
    expect(shareBytes).toBeLessThanOrEqual(grantedBytes);
  }
}

const spill: Flow = {
  name: 'pass that moves sessions to S3',
  calls: [
    'SET',
    'HSCAN',
    'HMGET',
    'HGET',
    'ZRANGE',
    'HGET',
    'claim-sessions',
    'blobs put',
    'stub-sessions',
    'begin-session-lowering',
    'set-session-share',
    'settle-session-memory',
    'HGET',
    'HSCAN',
    'HMGET',
    'SET',
    'DEL',
  ],
  ...SMALL_BUDGET,
  async prepare(app, direct) {
    const of = await newCase(direct, LARGE);
    return {
      run: (signal) => pass(app, direct, of, signal),
      async verify() {
        expect(await auditSessions(direct, of.id)).toMatchObject({ sessions: 1, spilled: 1, hotBytes: 0 });
        await expectPool(direct, of.id);
        expect(await direct.spillStats.ofAll()).toMatchObject({ spilled_sessions: 1, budget: { hot_bytes: 0 } });
        expect((await direct.sessions.get(of.caller, of.session))?.data).toEqual(LARGE);
        await expectSessions(direct, of.id, { sessions: 1, spilled: 1 });
      },
    };
  },
};

const bringBack: Flow = {
  name: 'pass that brings sessions back',
  calls: ['SET', 'HSCAN', 'HMGET', 'HGET', 'ZRANGE', 'peek-sessions', 'blobs get', 'restore-session'].concat([
    'HSCAN',
    'HMGET',
    'SET',
    'DEL',
  ]),
  async prepare(app, direct) {
    const of = await newCase(direct, SMALL);
    await spillAll(direct, of.id);
    return {
      run: (signal) => pass(app, direct, of, signal),
      async verify() {
        await expectPool(direct, of.id);
        expect((await direct.sessions.get(of.caller, of.session))?.data).toEqual(SMALL);
        await expectSessions(direct, of.id, { sessions: 1, spilled: 0 });
      },
    };
  },
};

const dry: Flow = {
  name: 'pass that only tells what it would do',
  calls: ['HSCAN', 'HMGET', 'HGET', 'ZRANGE', 'HGET'],
  ...SMALL_BUDGET,
  async prepare(app, direct) {
    const of = await newCase(direct, LARGE);
    return {
      run: (signal) => app.spillPass.run({ dry: true, signal }),
      async verify(result) {
        expect(result).toMatchObject({ spilled: 1, hotBytes: 0 });
        expect(await auditSessions(direct, of.id)).toMatchObject({ sessions: 1, spilled: 0 });
      },
    };
  },
};

const upkeep: Flow = {
  name: 'put the session memory in order',
  calls: ['ZRANGE', 'HMGET', 'grant-session-memory', 'ZREMRANGEBYSCORE'],
  async prepare(app, direct) {
    // Those of other cases have nothing the pool has to know.
    for (const id of await direct.tenants.listIds({ limit: 1_000 }))
      await direct.redis.send(['HDEL', keysOf(direct).gate(id), 'b'], { kind: 'write' });
    const of = await newCase(direct, SMALL);
    await sessionMemory(direct).losePool();
    return {
      run: (signal) => app.sessionUpkeep.run(signal),
      async verify() {
        await expectPool(direct, of.id);
        expect((await sessionMemory(direct).look([of.id])).totalBytes).toBeGreaterThan(0);
      },
    };
  },
};

const stats: Flow = {
  name: 'tell how full the session memory is',
  calls: ['GET', 'read-usage', 'ZRANGE'],
  async prepare(app, direct) {
    const { id } = await newCase(direct, SMALL);
    return {
      run: async (signal) => ({
        all: await app.spillStats.ofAll(signal),
        one: await app.spillStats.ofTenant(id, signal),
      }),
      verify: async (result) => expect(result).toMatchObject({ all: { tenant_id: null }, one: { sessions: 1 } }),
    };
  },
};

const prefetch = sessionFlow(
  'bring sessions back before they are read',
  ['check-key', 'check-key', 'peek-sessions', 'blobs get', 'restore-session'],
  {
    cold: true,
    run: (app, { caller, session }) => app.sessions.prefetch(caller, [session]),
    async verify(direct, { id, session }, result) {
      const [one] = result as readonly { readonly id: string; readonly status: string }[];
      expect(one?.id).toBe(session);
      expect(['restored', 'hot']).toContain(one?.status);
      await expectSessions(direct, id, { sessions: 1, spilled: 0 });
    },
  },
);

export const passFlows: readonly Flow[] = [spill, bringBack, dry, upkeep, stats, prefetch];
