/** Flows of sessions on their way between Redis and S3, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { SessionLostError } from '../../../lib/errors.ts';
import { parseSessionStub } from '../../../lib/sessions/session-format.ts';
import { sessionParts } from '../../../lib/sessions/session-ids.ts';
import { auditSessions } from '../session-audit.ts';
import { sessionObjects, spillToolsOn, texts } from '../spill-tools.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';
import { DATA, expectSessions, type SessionCase, sessionFlow } from './session-flows.ts';

const READ = { kind: 'read' } as const;
const LARGE = texts({ large: 'x'.repeat(70_000) });
const COLD = { sessions: 1, spilled: 1 };
const HOT = { sessions: 1, spilled: 0 };

const get = (app: App, { caller, session }: SessionCase) => app.sessions.get(caller, session);

const spill = sessionFlow('move a session to S3', ['ZRANGE', 'claim-sessions', 'blobs put', 'stub-sessions'], {
  run: (app, { id }, signal) => spillToolsOn(app).spiller.spillTo({ id, generation: 1, signal }, 0, { maxBatches: 1 }),
  async verify(direct, of) {
    await expectSessions(direct, of.id, COLD);
    expect(await get(direct, of)).toMatchObject({ tier: 'cold', version: 1, data: DATA, metadata: { source: 'web' } });
  },
});

const restore = sessionFlow(
  'get session that is in S3',
  ['get-session', 'get-session', 'blobs get', 'restore-session'],
  {
    cold: true,
    run: get,
    async verify(direct, { id }, result) {
      expect(result).toMatchObject({ version: 1, data: DATA, metadata: { source: 'web' } });
      await expectSessions(direct, id, HOT);
    },
  },
);

/** The other has the claim for ever, and does nothing: it is read where it is. */
const heldByAnother = sessionFlow(
  'get session that somebody else brings back',
  ['get-session', 'get-session', 'peek-sessions', 'blobs get'],
  {
    cold: true,
    claimsStay: true,
    async before(direct, { id, session }) {
      const claim = keysOf(direct).sessionClaim(id, 1, sessionParts(session).ulid);
      await direct.redis.send(['SET', claim, 'another'], { kind: 'write' });
    },
    run: get,
    async verify(direct, { id }, result) {
      expect(result).toMatchObject({ version: 1, data: DATA, tier: 'cold' });
      await expectSessions(direct, id, COLD);
    },
  },
);

/** The tenant's sessions take nearly all they may. */
const unfit = sessionFlow(
  'get session that has no room in Redis',
  ['get-session', 'get-session', 'blobs get', 'grant-session-memory', 'set-session-share'],
  {
    cold: true,
    settings: { sessions: { max_hot_bytes: 65_536 } },
    async before(direct, { caller }) {
      await direct.sessions.create(caller, { data: texts({ large: 'x'.repeat(60_000) }) });
    },
    run: get,
    async verify(direct, { id }, result) {
      expect(result).toMatchObject({ version: 1, data: DATA, tier: 'cold' });
      await expectSessions(direct, id, { sessions: 2, spilled: 1 });
    },
  },
);

/** It takes more than all the tenant's sessions may. */
const createCold = sessionFlow(
  'create session that has no room in Redis',
  [
    'create-session',
    'create-session',
    'ZRANGE',
    'grant-session-memory',
    'set-session-share',
    'register-object',
    'blobs put',
    'create-session',
  ],
  {
    cold: true,
    settings: { sessions: { max_hot_bytes: 65_536 } },
    run: (app, { caller }) => app.sessions.create(caller, { data: LARGE }, { operation: 'create' }),
    async verify(direct, { caller, id }, result) {
      expect((await direct.sessions.get(caller, (result as { id: string }).id))?.data).toEqual(LARGE);
      await expectSessions(direct, id, { sessions: 2, spilled: 2 });
    },
  },
);

const listedOf = async (direct: App, { id, session }: SessionCase) => {
  const member = `${id},session-${sessionParts(session).ulid}`;
  return (await direct.redis.send(['ZSCORE', keysOf(direct).sessionQuarantine(), member], READ)) !== null;
};

const stubOf = async (direct: App, { id, session }: SessionCase) => {
  const key = keysOf(direct).session(id, 1, sessionParts(session).ulid);
  return parseSessionStub((await direct.redis.send(['GET', key], READ)) as string);
};

/** Its object; and takes it away. */
async function loseObject(direct: App, { id }: SessionCase): Promise<{ readonly key: string; readonly body: Buffer }> {
  const [key = ''] = await sessionObjects(direct, id);
  const { body } = (await direct.blobs.get(key)) ?? expect.fail();
  await direct.blobs.delete([key]);
  return { key, body };
}

const lost = (app: App, of: SessionCase) =>
  get(app, of).catch((error: unknown) => {
    if (error instanceof SessionLostError) return error.code;
    throw error;
  });

const quarantine = sessionFlow(
  'get session whose object is gone',
  ['get-session', 'get-session', 'blobs get', 'peek-sessions', 'ZADD', 'mark-session', 'restore-session'],
  {
    cold: true,
    before: loseObject,
    run: lost,
    async verify(direct, of, result) {
      expect(result).toBe('session_lost');
      expect((await stubOf(direct, of)).place.quarantined).toBe(true);
      expect(await listedOf(direct, of)).toBe(true);
    },
  },
);

const lift = sessionFlow(
  'get session whose object is there again',
  ['get-session', 'get-session', 'blobs get', 'ZREM', 'mark-session', 'restore-session'],
  {
    cold: true,
    async before(direct, of) {
      const object = await loseObject(direct, of);
      expect(await lost(direct, of)).toBe('session_lost');
      await direct.blobs.put(object);
    },
    run: get,
    async verify(direct, of, result) {
      expect(result).toMatchObject({ version: 1, data: DATA });
      expect(await listedOf(direct, of)).toBe(false);
      expect(await auditSessions(direct, of.id)).toMatchObject(HOT);
      await expectSessions(direct, of.id, HOT);
    },
  },
);

export const spillFlows: readonly Flow[] = [spill, restore, heldByAnother, unfit, createCold, quarantine, lift];
