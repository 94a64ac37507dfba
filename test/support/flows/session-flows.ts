/** Flows of sessions through the gate, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { createExpiredRecords } from '../../../lib/gate/expired-records.ts';
import type { TenantId } from '../../../lib/ids.ts';
import { removeTombstones } from '../../../lib/redis/bindings/spill-scripts.ts';
import { runScript } from '../../../lib/redis/script.ts';
import { newTenant } from '../app.ts';
import { auditRecords } from '../audit-tenant.ts';
import { auditSessions } from '../session-audit.ts';
import { firstNeed, sessionBudgetOn } from '../session-memory.ts';
import { collectObjects, endClaims, letExpire, letTombstonesEnd, spillAll, texts } from '../spill-tools.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

export const DATA = texts({ cart: [1, 2], name: 'Ada' });
const CHANGED = texts({ cart: [3], page: '/' });

export interface SessionCase {
  readonly caller: Caller;
  readonly id: TenantId;
  /** Of one session, which is hot unless it was moved. */
  readonly session: string;
}

/** Ends as it should: the sessions there are, no object that none of them uses, not a byte off. */
export async function expectSessions(direct: App, id: TenantId, counts: { sessions: number; spilled: number }) {
  expect(await auditSessions(direct, id)).toMatchObject(counts);
  expect(await collectObjects(direct, id)).toHaveLength(counts.spilled);
  expect(await auditRecords(direct, id)).toMatchObject({ s: counts.sessions });
}

/** Of a tenant with one session; an instance that does not know the tenant learns its context by its first trip. */
export function sessionFlow(
  name: string,
  calls: readonly string[],
  how: {
    readonly cold?: boolean;
    /** What holds it does not end between two runs. */
    readonly claimsStay?: boolean;
    /** Of the tenant. */
    readonly settings?: object;
    readonly before?: (direct: App, of: SessionCase) => Promise<unknown>;
    readonly run: (app: App, of: SessionCase, signal: AbortSignal) => Promise<unknown>;
    readonly verify: (direct: App, of: SessionCase, result: unknown) => Promise<void>;
  },
): Flow {
  return {
    name,
    calls,
    async prepare(app, direct) {
      const { tenant, caller } = await newTenant(direct, how.settings);
      const made = await direct.sessions.create(caller, { userId: 'ada', metadata: { source: 'web' }, data: DATA });
      const of = { caller, id: tenant.id, session: made.id };
      if (how.cold) await spillAll(direct, tenant.id);
      await how.before?.(direct, of);
      let runs = 0;
      return {
        async run(signal) {
          // Whoever died with a claim has it no longer than some seconds.
          if (runs++ > 0 && !how.claimsStay) await endClaims(direct, tenant.id, [made.id]);
          return how.run(app, { ...of, caller: { ...caller, signal } }, signal);
        },
        verify: (result) => how.verify(direct, of, result),
      };
    },
  };
}

const create: Flow = sessionFlow('create session', ['create-session', 'create-session'], {
  before: (direct, { id }) => sessionBudgetOn(direct).grow(id, firstNeed(100_000)),
  run: (app, { caller }) => app.sessions.create(caller, { data: CHANGED }, { operation: 'create' }),
  async verify(direct, { caller, id }, result) {
    expect((await direct.sessions.get(caller, (result as { id: string }).id))?.data).toEqual(CHANGED);
    await expectSessions(direct, id, { sessions: 2, spilled: 0 });
  },
});

const createFirst: Flow = {
  name: 'create the first session of a tenant',
  calls: ['create-session', 'create-session', 'ZRANGE', 'grant-session-memory', 'set-session-share', 'create-session'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    return {
      run: (signal) => app.sessions.create({ ...caller, signal }, { data: DATA }, { operation: 'create' }),
      async verify(result) {
        expect((await direct.sessions.get(caller, (result as { id: string }).id))?.data).toEqual(DATA);
        await expectSessions(direct, tenant.id, { sessions: 1, spilled: 0 });
      },
    };
  },
};

const get = sessionFlow('get session', ['get-session', 'get-session'], {
  run: (app, { caller, session }) => app.sessions.get(caller, session),
  async verify(direct, { id }, result) {
    expect(result).toMatchObject({ version: 1, data: DATA, metadata: { source: 'web' } });
    await expectSessions(direct, id, { sessions: 1, spilled: 0 });
  },
});

const change = { set: CHANGED, remove: ['name'] };
const expectChanged = async (direct: App, { caller, session, id }: SessionCase, result: unknown) => {
  expect(result).toMatchObject({ version: 2 });
  expect(await direct.sessions.get(caller, session)).toMatchObject({ version: 2, data: CHANGED });
  await expectSessions(direct, id, { sessions: 1, spilled: 0 });
};

const update = sessionFlow('update session', ['update-session', 'update-session'], {
  run: (app, { caller, session }) => app.sessions.update(caller, session, change, { operation: 'update' }),
  verify: expectChanged,
});

const updateCold = sessionFlow(
  'update session that is in S3',
  ['update-session', 'update-session', 'blobs get', 'restore-session', 'update-session'],
  {
    cold: true,
    run: (app, { caller, session }) => app.sessions.update(caller, session, change, { operation: 'update' }),
    verify: expectChanged,
  },
);

const touch = (cold: boolean): Flow =>
  sessionFlow(`touch session that is in ${cold ? 'S3' : 'Redis'}`, ['touch-session', 'touch-session'], {
    cold,
    run: (app, { caller, session }) => app.sessions.touch(caller, session, { ttlMs: 5_000 }),
    async verify(direct, { caller, session, id }, result) {
      expect(result).toMatchObject({ version: 1 });
      expect(await direct.sessions.get(caller, session, { touch: false })).toMatchObject({ ttlMs: 5_000, data: DATA });
      await expectSessions(direct, id, { sessions: 1, spilled: 0 });
    },
  });

const rotate = (cold: boolean): Flow =>
  sessionFlow(`rotate session that is in ${cold ? 'S3' : 'Redis'}`, ['rotate-session', 'rotate-session'], {
    cold,
    run: (app, { caller, session }) => app.sessions.rotate(caller, session, { userId: 'bob' }, { operation: 'rotate' }),
    async verify(direct, { caller, session, id }, result) {
      expect(result).toMatchObject({ version: 2, userId: 'bob', metadata: { source: 'web' } });
      expect(await direct.sessions.get(caller, session)).toBeNull();
      const found = await direct.sessions.get(caller, (result as { id: string }).id);
      expect(found).toMatchObject({ version: 2, userId: 'bob', data: DATA });
      await expectSessions(direct, id, { sessions: 1, spilled: 0 });
    },
  });

const terminate = (cold: boolean): Flow =>
  sessionFlow(`terminate session that is in ${cold ? 'S3' : 'Redis'}`, ['terminate-sessions', 'terminate-sessions'], {
    cold,
    run: (app, { caller, session }) => app.sessions.terminate(caller, session),
    async verify(direct, { caller, session, id }, result) {
      expect(result).toBe(true);
      expect(await direct.sessions.get(caller, session)).toBeNull();
      const again = { code: 'session_terminated' };
      await expect(direct.sessions.create(caller, { id: session })).rejects.toMatchObject(again);
      await expectSessions(direct, id, { sessions: 0, spilled: 0 });
    },
  });

const terminateUser = sessionFlow(
  'terminate sessions of a user',
  ['list-sessions', 'list-sessions', 'terminate-sessions'],
  {
    cold: true,
    async before(direct, { caller }) {
      for (const userId of ['ada', 'ada', 'bob']) await direct.sessions.create(caller, { userId, data: DATA });
    },
    run: (app, { caller }) => app.sessions.terminateUser(caller, 'ada'),
    async verify(direct, { caller, session, id }) {
      expect(await direct.sessions.get(caller, session)).toBeNull();
      expect((await direct.sessions.list(caller, 'ada', { limit: 10 })).items).toEqual([]);
      await expectSessions(direct, id, { sessions: 1, spilled: 0 });
    },
  },
);

const list = sessionFlow('list sessions of a user', ['list-sessions', 'list-sessions', 'peek-sessions'], {
  cold: true,
  async before(direct, { caller }) {
    await direct.sessions.create(caller, { userId: 'ada', data: DATA });
  },
  run: (app, { caller }) => app.sessions.list(caller, 'ada', { limit: 10 }),
  async verify(direct, { id }, result) {
    expect(result).toMatchObject({ items: [{ tier: 'cold' }, { tier: 'hot' }], nextCursor: null });
    await expectSessions(direct, id, { sessions: 2, spilled: 1 });
  },
});

const removeExpired = sessionFlow('remove expired sessions', ['ZRANGE', 'remove-expired-records'], {
  cold: true,
  async before(direct, { caller, id, session }) {
    const { id: other } = await direct.sessions.create(caller, { userId: 'ada', data: DATA });
    await direct.sessions.create(caller, { data: DATA });
    for (const one of [session, other]) await letExpire(direct, id, one);
  },
  async run(app, { id }, signal) {
    const expired = createExpiredRecords({ redis: app.redis, keys: keysOf(app), now: Date.now });
    const due = await expired.findDue(id, 1, signal);
    return due.length === 0 ? null : expired.remove(id, 1, due, signal);
  },
  async verify(direct, { caller, session, id }) {
    expect(await direct.sessions.get(caller, session)).toBeNull();
    await expectSessions(direct, id, { sessions: 1, spilled: 0 });
  },
});

const removeEnded = sessionFlow('remove tombstones of sessions', ['remove-tombstones'], {
  async before(direct, { caller, id, session }) {
    await direct.sessions.terminate(caller, session);
    await letTombstonesEnd(direct, id);
    const { id: other } = await direct.sessions.create(caller, { data: DATA });
    await direct.sessions.terminate(caller, other);
  },
  run: (app, { id }, signal) =>
    runScript(app.redis, removeTombstones, {
      keys: { gate: keysOf(app).gate(id), dead: keysOf(app).deadSessions(id) },
      args: { limit: 100 },
      kind: 'write',
      signal,
    }),
  async verify(direct, { id }) {
    await expectSessions(direct, id, { sessions: 0, spilled: 0 });
    expect(await direct.redis.send(['ZCARD', keysOf(direct).deadSessions(id)], { kind: 'read' })).toBe(1);
  },
});

export const sessionFlows: readonly Flow[] = [
  create,
  createFirst,
  get,
  update,
  updateCold,
  touch(false),
  touch(true),
  rotate(false),
  rotate(true),
  terminate(false),
  terminate(true),
  terminateUser,
  list,
  removeExpired,
  removeEnded,
];
